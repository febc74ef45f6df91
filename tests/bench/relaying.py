"""The relay, from the log to the broker, beside a bare producer that sends the same records from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from infra.codec import key_of
from infra.event_log.log import EventLog
from infra.kafka.clients import admin_client, aiokafka_options
from infra.kafka.producer import LARGEST_BATCH
from infra.kafka.records import partition_of, to_record
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, ensure_topics
from infra.settings import Settings
from streams.kafka.relay.relay import Relay, RelayProgress
from streams.kafka.topics import RELAYED, carried, topics
from tests.bench.comparing import Compared, compare

GROUP = 2000  # rows whose records the bare producer sends together

Record = tuple[str, int, bytes, bytes]


def relay_the_log(log: EventLog, kafka: KafkaSettings, rounds: int = 3) -> Compared:
    """Rows a second, each in one topic or two; both sides write to topics of their own, made before they are timed."""
    rows = log.since(0, 10_000_000)
    prepared = list(grouped(log))

    def bare(number: int) -> None:
        asyncio.run(send(prepared, f"bare-{number}.", kafka))

    def ours(number: int) -> None:
        asyncio.run(relayed(log, fresh(f"ours-{number}."), f"ours-{number}.", kafka))

    with admin_client(kafka) as admin:
        for number in range(rounds + 1):
            ensure_topics(admin, [*fresh(f"bare-{number}."), *fresh(f"ours-{number}.")], 1)
    return compare("relay the log", "aiokafka, same records", "row", "≤ 2", bare, ours, len(rows), rounds)


def fresh(prefix: str) -> list[Topic]:
    return [replace(topic, name=prefix + topic.name) for topic in topics(Settings(Path())) if topic.name in RELAYED]


def grouped(log: EventLog) -> Iterator[list[Record]]:
    counts = {topic.name: topic.partitions for topic in fresh("")}
    carries = carried()
    waiting = iter(log.since(0, 10_000_000))
    while rows := list(islice(waiting, GROUP)):
        group = []
        for row in rows:
            key, value = key_of(row.state).encode(), to_record(row)
            group += [(name, partition_of(key, counts[name]), key, value) for name in counts if row.name in carries[name]]
        yield group


async def send(groups: Sequence[list[Record]], prefix: str, kafka: KafkaSettings) -> None:
    producer = AIOKafkaProducer(**aiokafka_options(kafka), acks="all", enable_idempotence=True, max_batch_size=LARGEST_BATCH)
    await producer.start()
    for group in groups:
        batches: dict[tuple[str, int], Any] = {}
        for name, number, key, value in group:
            place = prefix + name, number
            batch = batches.get(place) or batches.setdefault(place, producer.create_batch())
            batch.append(timestamp=None, key=key, value=value)
        for (topic, number), batch in batches.items():
            await producer.send_batch(batch, topic, partition=number)
    await producer.flush()
    await producer.stop()


async def relayed(log: EventLog, wanted: Sequence[Topic], prefix: str, kafka: KafkaSettings) -> None:
    """Until everything is published and written down."""
    stopping = asyncio.Event()
    head = log.head()

    def tell(progress: RelayProgress) -> None:
        if progress.position >= head:
            stopping.set()

    await Relay(log, kafka, wanted, {prefix + name: names for name, names in carried().items()}, 1, tell).run(stopping)
    assert all(log.relayed()[topic.name].position == head for topic in wanted)
