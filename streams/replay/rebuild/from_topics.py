"""Rebuilds folds from Kafka's topics, where the log's database is out of reach.

It reads assigned partitions, without a group, and folds into a new version as a worker does. The places it leaves there are a
worker's, so that one that was killed goes on, and the workers keep the version up afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version as version_of
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from infra.codec import Codec
from infra.errors import Fault, Misconfigured
from infra.kafka.clients import admin_client, consumer_client
from infra.kafka.records import from_record
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import partition_counts, topic_ids
from infra.redis.checkpoints import LOG, missing_event
from infra.redis.generations import UNFINISHED, Generation, Generations, replaced
from infra.redis.loading import remove_keys
from infra.redis.views import Views
from streams.kafka.dead_letters.letters import EVERY_FOLD, letter_of
from streams.kafka.worker.partition import OffsetGap, Partition, Record, take_together
from streams.projecting.loaders import Fold, fold_name, loader_of
from streams.projecting.projector import Projector
from streams.registry import EVENTS, sources
from streams.replay.rebuild.leases import leased
from streams.replay.rebuild.part import Report
from streams.replay.rebuild.served import refuse_newer, served_records
from streams.replay.rebuild.version import Rebuilt, switch

RECORDS = 2000  # of all partitions, read at once
POLL_MS = 200
SILENCE = 30.0  # seconds without a record before the end


@dataclass(frozen=True)
class Since:
    """Where to begin to read each partition: at an ``offset``, or at the first record that Kafka dates ``at`` or later."""

    offset: int | None = None
    at: int | None = None


class CannotBeTaken(Fault):
    """A fold cannot take a record of a topic, and the served version has it: nothing was switched."""


@dataclass
class TopicRebuild:
    """A rebuild of some folds from the topics. ``since`` moves the reading only: what the new version has, it skips."""

    views: Views
    codec: Codec
    zone: str
    kafka: KafkaSettings
    folds: Sequence[Fold]
    since: Since | None = None
    report: Report = lambda *_: None

    def __post_init__(self) -> None:
        self.generations = Generations(self.views.client)
        self.names = [fold.name for fold in self.folds]
        self.program = f"{version_of('regulars')} from topics"

    def run(self) -> Rebuilt:
        """Read the topics to their end, and switch.

        Raises :class:`Misconfigured` if a topic lacks its beginning, :class:`CannotBeTaken`, and what reading raises. Then
        nothing is switched, and the next run goes on.
        """
        begun = time.monotonic()
        self.views.fed_by("topics")
        refuse_newer(self.views, self.folds, self.generations.all())
        with leased(self.generations, self.names), self._reading() as reading:
            records, resumed = self._reserve()
            reader = TopicReader(reading.consumer, self._partitions(records[0].version, reading))
            reader.seek(self.since)
            self.generations.put(records)
            while not reader.read_on(self.report):
                pass
            following = [replaced(record, "following") for record in records]
            self.generations.put(following)
            served = served_records(self.views.refreshed(), self.folds, self.generations.all())
            pairs = [(record, served.get(record.name)) for record in following]
            switch(self.generations, pairs, self._sources(reading.counts), lambda: reader.finish(self.report))
        return Rebuilt(records[0].version, reader.position, resumed, time.monotonic() - begun, [])

    @contextmanager
    def _reading(self) -> Iterator[Reading]:
        topics = sorted({topic for fold in self.folds for topic in sources(fold)})
        with admin_client(self.kafka) as admin:
            counts, ids = partition_counts(admin, topics), topic_ids(admin, topics)
        if missing := set(topics) - set(counts):
            raise Misconfigured(f"Kafka at {self.kafka.bootstrap} has no topic {', '.join(sorted(missing))}.")
        with consumer_client(self.kafka, auto_offset_reset="earliest", max_poll_records=RECORDS) as consumer:
            yield Reading(consumer, counts, ids)

    def _reserve(self) -> tuple[list[Generation], bool]:
        """Return the records of the version to fill, and whether another run began it; remove other unfinished ones."""
        mine = {fold_name(fold) for fold in self.folds}
        unfinished: dict[str, list[Generation]] = {}
        for record in self.generations.all():
            if record.state in UNFINISHED and record.name in self.names:
                unfinished.setdefault(record.version, []).append(record)
        found: list[Generation] | None = None
        for records in unfinished.values():
            if found is None and {one.fold for one in records} == mine and {one.program for one in records} == {self.program}:
                found = [replaced(record, "tailing") for record in records]
            else:
                self._discard(records)
        if found is not None:
            return found, True
        version = self.generations.next_version()
        return [
            Generation(version, fold_name(fold), tuple(fold.parts), "tailing", 0, self.program) for fold in self.folds
        ], False

    def _discard(self, records: Sequence[Generation]) -> None:
        places = {fold.name: self._sources_of(fold) for fold in self.folds}
        for record in records:
            self.generations.close(record, [LOG, *places[record.name]])
        remove_keys(self.views.client, records[0].version, [part for record in records for part in record.parts])
        for record in records:
            self.generations.forget(record)

    def _sources_of(self, fold: Fold) -> list[str]:
        with admin_client(self.kafka) as admin:
            counts = partition_counts(admin, list(sources(fold)))
        return [f"{topic}:{number}" for topic, count in counts.items() for number in range(count)]

    def _sources(self, counts: Mapping[str, int]) -> dict[str, list[str]]:
        return {
            fold.name: [f"{topic}:{number}" for topic in sources(fold) for number in range(counts[topic])]
            for fold in self.folds
        }

    def _partitions(self, version: str, reading: Reading) -> dict[TopicPartition, Partition]:
        views = Views(self.views.client, version)
        found: dict[TopicPartition, Partition] = {}
        for topic, count in reading.counts.items():
            mine = [(fold, events) for fold in self.folds if (events := sources(fold).get(topic)) is not None]
            for number in range(count):
                loaders = [loader_of(fold, self.zone, views, events) for fold, events in mine]
                left_out = partial(self._left_out, topic, number)
                projector = Projector(views, loaders, f"{topic}:{number}")
                found[TopicPartition(topic, number)] = Partition(projector, views, self.codec, reading.ids[topic], left_out)
        return found

    def _left_out(self, topic: str, number: int, record: Record, about: str, reason: str) -> None:
        """Accept that a record is left out if the served version lacks it too. Raises :class:`CannotBeTaken`."""
        letter = letter_of(record, topic, number, about, reason)
        if letter.position is None:
            return  # it is no event, for any fold
        name = from_record(letter.value).name
        served = served_records(self.views.refreshed(), self.folds, self.generations.all())
        for fold in self.folds:
            takes = {stored for event in sources(fold).get(topic, ()) for stored in EVENTS[event].stored_names}
            if (
                about in (EVERY_FOLD, fold_name(fold))
                and name in takes
                and not self._lacks(served.get(fold.name), letter.position)
            ):
                raise CannotBeTaken(
                    f"{fold_name(fold)} cannot take event #{letter.position} ({name}), which the served "
                    f"version does not lack: {reason} Nothing was switched."
                )

    def _lacks(self, served: Generation | None, position: int) -> bool:
        """Return whether a fold has left out an event in the served version, because that is among the dead letters."""
        if served is None:
            return False
        views = Views(self.views.client, served.version)
        return views.checkpoints_in(missing_event(position), [served.fold])[served.fold].position == position


@dataclass(frozen=True)
class Reading:
    """An open consumer; how many partitions each topic has, and the broker's id of it."""

    consumer: KafkaConsumer
    counts: Mapping[str, int]
    ids: Mapping[str, str]


class TopicReader:
    """Reads partitions in turn and folds their records. ``position``: the highest in the log that was folded."""

    def __init__(self, consumer: KafkaConsumer, partitions: Mapping[TopicPartition, Partition]) -> None:
        self._consumer = consumer
        self._partitions = partitions
        self._ends: dict[TopicPartition, int] = {}
        self._heard = time.monotonic()
        self.position = 0
        consumer.assign(list(partitions))

    def seek(self, since: Since | None) -> None:
        """Go to where each partition is to be read. Raises :class:`Misconfigured` if records before that would be missing."""
        firsts = self._consumer.beginning_offsets(list(self._partitions))
        self._ends = self._consumer.end_offsets(list(self._partitions))
        wanted = self._wanted(since)
        starts = {tp: max(firsts[tp], wanted.get(tp, 0) if since else part.resume()) for tp, part in self._partitions.items()}
        for tp, partition in self._partitions.items():
            place = partition.resume()
            if starts[tp] > place:
                raise Misconfigured(
                    f"{tp.topic}:{tp.partition} would be read from offset {starts[tp]}, and the new version has what is before "
                    f"offset {place} only: records would be missing. Nothing was changed. Rebuild from the log (`regulars "
                    "replay`), or publish it again (`regulars relay --republish`)."
                )
        for tp, start in starts.items():
            self._consumer.seek(tp, start)

    def read_on(self, report: Report) -> bool:
        """Fold what one poll brings, and return whether the end is reached that the partitions had."""
        polled: Mapping[TopicPartition, Sequence[Any]] = self._consumer.poll(timeout_ms=POLL_MS)
        self._take([(self._partitions[tp], records) for tp, records in polled.items() if records])
        reached = {tp: self._consumer.position(tp) for tp in self._partitions}
        report("fold", sum(reached.values()), sum(self._ends.values()))
        if all(reached[tp] >= end for tp, end in self._ends.items()):
            return True
        if polled:
            self._heard = time.monotonic()
        elif time.monotonic() - self._heard > SILENCE:
            raise Misconfigured("Kafka does not return what is in the topics: run this again.")
        return False

    def finish(self, report: Report) -> None:
        """Fold up to where the partitions end now."""
        self._ends = self._consumer.end_offsets(list(self._partitions))
        self._heard = time.monotonic()
        while not self.read_on(report):
            pass

    def _wanted(self, since: Since | None) -> Mapping[TopicPartition, int]:
        if since is None:
            return {}
        if since.offset is not None:
            return dict.fromkeys(self._partitions, since.offset)
        found = self._consumer.offsets_for_times(dict.fromkeys(self._partitions, since.at))
        return {tp: found[tp].offset if found.get(tp) else end for tp, end in self._ends.items()}

    def _take(self, chunks: Sequence[tuple[Partition, Sequence[Record]]]) -> None:
        for outcome in take_together(chunks):
            if isinstance(outcome, OffsetGap):
                raise Misconfigured(f"Records were removed while they were to be read ({outcome}).") from outcome
            if isinstance(outcome, Exception):
                raise outcome
            self.position = max(self.position, outcome.position)
