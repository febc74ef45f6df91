"""The records of the course: small JSON events keyed by member, in envelopes as the relay makes them."""

from __future__ import annotations

from collections.abc import Iterator

from aiokafka import AIOKafkaProducer

from aggregates.value import Value
from infra.codec import Codec, EventType
from infra.event_log.types import Row
from infra.kafka.clients import admin_client
from infra.kafka.records import KeyHashes, to_record
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, ensure_topics
from infra.keys.ring import KeyRing

MEMBERS = 20_000
BATCH = 1000  # records


class Bought(Value):
    """An event of the benchmark's own; stored, enveloped and numbered it is about 267 bytes."""

    member: str
    order: str
    product: str
    store: str
    channel: str
    currency: str
    note: str
    amount: int
    quantity: int
    at: int


def codec(keys: KeyRing) -> Codec:
    return Codec([EventType(Bought)], keys)


def events(records: int) -> Iterator[Bought]:
    """Scattered over the members without a pattern that a cache could like, and the same in every run."""
    for number in range(records):
        scattered = number * 2_654_435_761 % 2**32
        yield Bought(
            member=f"m-{scattered % MEMBERS}",
            order=f"order-{number}",
            product=f"product-{scattered % 9973}",
            store="high-street-4",
            channel="shop",
            currency="USD",
            note="a bag of oranges, and the loyalty card",
            amount=100 + scattered % 9900,
            quantity=1 + scattered % 3,
            at=1_483_844_509_000 + number,
        )


async def fill(kafka: KafkaSettings, topic: str, partitions: int, records: int, encoding: Codec) -> int:
    """Write the records into a new topic; the sum of their amounts."""
    with admin_client(kafka) as admin:
        ensure_topics(admin, [Topic(topic, partitions)])
    total, keys = 0, KeyHashes()
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", max_batch_size=2**20) as producer:
        waiting: dict[int, list[tuple[bytes, bytes]]] = {partition: [] for partition in range(partitions)}

        async def send(partition: int) -> None:
            batch = producer.create_batch()
            for key, value in waiting[partition]:
                batch.append(key=key, value=value, timestamp=None)
            waiting[partition].clear()
            await producer.send_batch(batch, topic, partition=partition)

        for position, event in enumerate(events(records), 1):
            name, state = encoding.encode(event)
            key, hashed = keys.of(state)
            mine = waiting[hashed % partitions]
            mine.append((key, to_record(Row(position, "", 0, name, state))))
            total += event.amount
            if len(mine) == BATCH:
                await send(hashed % partitions)
        for partition in waiting:
            if waiting[partition]:
                await send(partition)
        await producer.flush()
    return total
