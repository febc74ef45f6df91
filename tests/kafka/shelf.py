"""Topics of a test's own beside one another on the shared broker, with what a relay should have put there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from kafka import TopicPartition

from aggregates.programme import Policies
from infra.codec import key_of
from infra.event_log.log import EventLog
from infra.event_log.types import RelayCheckpoint, Shop
from infra.kafka.clients import admin_client, consumer_client
from infra.kafka.records import from_record, partition_of, to_record
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, end_offsets, first_offsets, topic_ids
from infra.settings import Settings
from streams.commands.handler import Handler
from streams.kafka.relay.batches import TopicEvents
from streams.kafka.relay.relay import Relay, RelayProgress
from streams.kafka.topics import RELAYED, carried, topics
from streams.running.app import open_log
from tests.shop import requests

Records = dict[int, list[tuple[bytes, bytes]]]
"""By partition: keys and values, in order."""

PATIENCE = 120  # seconds for what must come sooner or later, however busy the machine is


def append(settings: Settings, shoppings: int, after: int = 0) -> None:
    """Requests of a small shop's history, from the ``after``-th on, in groups."""
    with open_log(settings) as (log, keys):
        log.shop(Shop(settings.zone, settings.currency), chosen=False)
        handler = Handler(log, keys, Policies())
        waiting = islice(requests(shoppings), after, None)
        while group := list(islice(waiting, 64)):
            handler.handle_all(group)
        handler.close()


@dataclass(frozen=True)
class Shelf:
    """Without a ``prefix`` they are those that the commands know."""

    kafka: KafkaSettings
    prefix: str = ""

    @property
    def topics(self) -> list[Topic]:
        relayed = [topic for topic in topics(Settings(Path())) if topic.name in RELAYED]
        if not self.prefix:
            return relayed
        return [replace(topic, name=self.prefix + topic.name, partitions=min(4, topic.partitions)) for topic in relayed]

    @property
    def counts(self) -> dict[str, int]:
        return {topic.name: topic.partitions for topic in self.topics}

    @property
    def carried(self) -> TopicEvents:
        return {self.prefix + name: names for name, names in carried().items()}

    def expected(self, log: EventLog) -> dict[str, Records]:
        """What each topic should hold of a log."""
        found: dict[str, Records] = {name: {number: [] for number in range(count)} for name, count in self.counts.items()}
        for row in log.since(0, 1_000_000):
            key = key_of(row.state).encode()
            for name, count in self.counts.items():
                if row.name in self.carried[name]:
                    found[name][partition_of(key, count)].append((key, to_record(row)))
        return found

    def found(self) -> dict[str, Records]:
        """What they do hold."""
        found: dict[str, Records] = {name: {number: [] for number in range(count)} for name, count in self.counts.items()}
        for record in self.records():
            found[record.topic][record.partition].append((record.key, record.value))
        return found

    def records(self) -> list[Any]:
        """Each partition's in order."""
        with admin_client(self.kafka) as admin:
            firsts, ends = first_offsets(admin, self.counts), end_offsets(admin, self.counts)
        found: list[Any] = []
        with consumer_client(self.kafka) as consumer:
            places = [TopicPartition(name, number) for name, count in self.counts.items() for number in range(count)]
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            whole = sum(ends[p.topic][p.partition] - firsts[p.topic][p.partition] for p in places)
            while len(found) < whole:
                found += chain.from_iterable(consumer.poll(timeout_ms=200, max_records=100_000).values())
        return found

    def ends(self) -> dict[str, tuple[int, ...]]:
        with admin_client(self.kafka) as admin:
            return end_offsets(admin, self.counts)

    def ids(self) -> dict[str, str]:
        with admin_client(self.kafka) as admin:
            return topic_ids(admin, self.counts)

    def delete(self, *names: str) -> None:
        with admin_client(self.kafka) as admin:
            admin.delete_topics(list(names))

    def relay(self, log: EventLog, lease: float = 30.0) -> Relay:
        return Relay(log, self.kafka, self.topics, self.carried, 1, lease=lease)


@dataclass
class Relaying:
    """A relay on a thread of its own."""

    relay: Relay
    told: list[RelayProgress]
    ended: threading.Event

    def reaches(self, position: int) -> None:
        """Wait until every topic is relayed so far."""
        eventually(lambda: self._reached(self.relay.log.relayed(), position))

    def _reached(self, relayed: dict[str, RelayCheckpoint], position: int) -> bool:
        return all(topic.name in relayed and relayed[topic.name].position >= position for topic in self.relay.topics)


@contextmanager
def running(relay: Relay) -> Iterator[Relaying]:
    """Run a relay until the block ends; what ended it by itself is raised then."""
    told: list[RelayProgress] = []
    relay.tell = told.append
    stop, ended, failures = threading.Event(), threading.Event(), list[BaseException]()

    async def run() -> None:
        stopping = asyncio.Event()
        relaying = asyncio.create_task(relay.run(stopping))
        while not stop.is_set() and not relaying.done():
            await asyncio.sleep(0.01)
        stopping.set()
        await relaying

    def run_all() -> None:
        try:
            asyncio.run(run())
        except BaseException as fault:  # noqa: BLE001 - raised below
            failures.append(fault)
        ended.set()

    thread = threading.Thread(target=run_all)
    thread.start()
    try:
        yield Relaying(relay, told, ended)
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the relay does not stop"
        for failure in failures:
            raise failure


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def without_repeats(records: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What a consumer takes that skips each position that is not behind the last."""
    taken: list[tuple[bytes, bytes]] = []
    last = 0
    for key, value in records:
        position = from_record(value).position
        if position > last:
            taken.append((key, value))
            last = position
    return taken
