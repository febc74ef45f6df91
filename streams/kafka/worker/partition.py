"""Projects one partition of a topic: every event once, in order and without gaps, despite competing workers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import redis

from aggregates.decider import Recorded
from infra.codec import Codec
from infra.errors import Fault, Newer, Superseded, Unreadable, VersionsChanged
from infra.kafka.records import envelopes, from_record
from infra.redis.checkpoints import Checkpoint
from infra.redis.commit import CheckpointedWrite, Refusals, all_applied
from infra.redis.views import Keys, Views
from streams.kafka.dead_letters.letters import EVERY_FOLD
from streams.projecting.projector import ChunkProjection, ProjectionFailed, Projector, UnreadableEvent

log = logging.getLogger(__name__)


class Record(Protocol):
    """What Kafka delivers."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


WriteDeadLetter: TypeAlias = Callable[[Record, str, str], None]
"""Writes a record to the dead letters, with the fold that cannot take it and the reason, and returns once it is there."""


class OffsetGap(Exception):  # noqa: N818 - not an error: it says where to read
    """The effects in Redis end before these records begin: read again from ``offset``."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"{reason}: reading again from offset {offset}")
        self.offset = offset


class RedisRolledBack(OffsetGap):
    """Redis was restored, or failed over, and holds less than it did."""


@dataclass(frozen=True)
class BatchResult:
    """What became of a chunk, in records. ``skipped``: seen before. ``position``: its last event's, in the log."""

    records: int
    applied: int
    dead_lettered: int
    position: int
    skipped: int


@dataclass(frozen=True)
class DecodedRecords:
    """A chunk's records with their events, whose positions rise.

    ``end``: the checkpoint after the chunk. ``unreadable``: events that cannot be decoded. ``dead_lettered``: records that
    were written to the dead letters. ``known``: the position that every fold had before.
    """

    events: Sequence[tuple[Record, Recorded]]
    end: Checkpoint
    unreadable: Sequence[UnreadableEvent]
    dead_lettered: int
    known: int
    records: int

    @property
    def recorded(self) -> list[Recorded]:
        return [recorded for _, recorded in self.events]

    def result(self, letters: int) -> BatchResult:
        """Return what became of the chunk. ``letters``: those written for single folds."""
        applied = sum(recorded.position > self.known for _, recorded in self.events)
        position, skipped = self.end.position, len(self.events) - applied
        return BatchResult(self.records, applied, self.dead_lettered + letters, position, skipped)


class Partition:
    """``topic``: the broker's id of it. Any thread may call; one at a time gets in.

    ``beside``: the same partition for versions of the read models that are kept up and not served.
    """

    def __init__(
        self,
        projector: Projector,
        views: Views,
        codec: Codec,
        topic: str,
        dead_letter: WriteDeadLetter,
        beside: Sequence[Partition] = (),
    ) -> None:
        self.views = views
        self.beside = beside
        self._envelopes = envelopes(codec)
        self._topic = topic
        self._dead_letter = dead_letter
        self.projector = projector
        self.lock = threading.Lock()

    def resume(self) -> int:
        """Return the offset to read from, as Redis says now."""
        with self.lock:
            self.projector.rolled_back()
            first = self._next_offset()
        return min([first, *(offset for kept in self.beside if (offset := kept.resume_beside()) is not None)])

    def resume_beside(self) -> int | None:
        """Return the offset to read a version from that is not served, None if it was dropped meanwhile."""
        try:
            return self.resume()
        except VersionsChanged:
            return None

    def keep_up(self, records: Sequence[Record]) -> None:
        """Project a chunk into the versions beside the served one, whose faults do not concern readers.

        Raises :class:`OffsetGap` if one of them lacks what is before the chunk, and what Redis raises if it does not answer.
        """
        for kept in self.beside:
            try:
                kept.take(records)
            except VersionsChanged:
                continue
            except Fault as fault:
                log.warning("%s is not kept up in %s any more: %s", self.projector.source, kept.views.versions.default, fault)

    def lost_from(self) -> int | None:
        """Return the offset to read again from if Redis was rolled back since the last write, else None."""
        with self.lock:
            return self._next_offset() if self.projector.rolled_back() else None

    def take(self, records: Sequence[Record]) -> BatchResult:
        """Project a chunk, and return when it is in Redis; raise what :func:`take_together` says."""
        (outcome,) = take_together([(self, records)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def decode(self, records: Sequence[Record]) -> DecodedRecords:
        """Return a chunk's events; write records that are none to the dead letters.

        Raises :class:`OffsetGap` if records before the chunk are missing.
        """
        resume = self._next_offset()
        if records[0].offset > resume:
            raise OffsetGap(resume, f"{self.projector.source} goes on at offset {records[0].offset}")
        unreadable: list[UnreadableEvent] = []
        try:
            decoded = self._envelopes.open(list(map(value_of, records)))
            events, dead_lettered = list(zip(records, decoded, strict=True)), 0
        except Newer:
            raise
        except Unreadable:
            events, unreadable, dead_lettered = self._decode_singly(records, resume)
        rising = without_repeats(events)
        end = Checkpoint(rising[-1][1].position if rising else 0, records[-1].offset, self._topic)
        known = min(checkpoint.position for checkpoint in self.projector.checkpoints.values())
        return DecodedRecords(rising, end, unreadable, dead_lettered, known, len(records))

    def take_alone(self, chunk: DecodedRecords) -> int:
        """Read the checkpoints, and project a chunk by itself. Return how many letters were written for single folds.

        Raises :class:`RedisRolledBack` if the events before it are missing in Redis.
        """
        self._start_over()
        try:
            self._project(chunk.recorded, chunk.end, chunk.unreadable)
        except ProjectionFailed:
            return self._project_singly(chunk)
        return 0

    def _next_offset(self) -> int:
        return min(checkpoint.next_offset(self._topic) for checkpoint in self.projector.checkpoints.values())

    def _decode_singly(
        self, records: Sequence[Record], resume: int
    ) -> tuple[list[tuple[Record, Recorded]], list[UnreadableEvent], int]:
        events: list[tuple[Record, Recorded]] = []
        unreadable: list[UnreadableEvent] = []
        dead_lettered = 0
        for record in records:
            envelope = None
            try:
                envelope = from_record(value_of(record))
                events += [(record, recorded) for recorded in self._envelopes.open([value_of(record)])]
            except Newer:
                raise
            except Unreadable as fault:
                if envelope:
                    unreadable.append(UnreadableEvent(record.offset, envelope.position, envelope.name))
                if record.offset >= resume:
                    self._dead_letter(record, EVERY_FOLD, str(fault))
                    dead_lettered += 1
        return events, unreadable, dead_lettered

    def _project(
        self,
        events: Sequence[Recorded],
        end: Checkpoint,
        unreadable: Sequence[UnreadableEvent],
        without: frozenset[str] = frozenset(),
    ) -> None:
        """Apply the events of a chunk that are not in Redis yet, even if another worker applies some of them meanwhile."""
        while True:
            try:
                writes = self.projector.project(events, end, without, unreadable)
                if self.views.apply(writes):
                    return self.projector.moved(writes)
            except Superseded:
                pass
            except ProjectionFailed:
                self._start_over()
                raise
            except BaseException:
                self.projector.forget()
                raise
            self._start_over()  # another writer was here, perhaps before the documents were read

    def _project_singly(self, chunk: DecodedRecords) -> int:
        """Find the events that a fold cannot take, and dead-letter them for that fold alone; return how many."""
        dead_lettered = 0
        for record, recorded in chunk.events:
            without: frozenset[str] = frozenset()
            end = Checkpoint(recorded.position, record.offset, self._topic)
            unreadable = [event for event in chunk.unreadable if event.offset < record.offset]
            while True:
                try:
                    self._project([recorded], end, unreadable, without)
                    break
                except ProjectionFailed as fault:
                    self._dead_letter(record, fault.fold, str(fault))
                    without |= {fault.fold}
            dead_lettered += len(without)
        self._project([], chunk.end, chunk.unreadable)  # unreadable ones may be at the end
        return dead_lettered

    def _start_over(self) -> None:
        """Forget what is in memory, and read the checkpoints. Raises :class:`RedisRolledBack` if Redis has lost effects."""
        try:
            self.projector.start_over()
        except Superseded:
            raise RedisRolledBack(self._next_offset(), f"{self.projector.source} was rolled back in Redis") from None


class ChunkAttempt:
    """One partition's chunk in a batch. ``failed``: this partition has to take its chunk alone."""

    def __init__(self, partition: Partition, chunk: DecodedRecords) -> None:
        self._partition = partition
        self._chunk = chunk
        self.failed = False
        self.projection = ChunkProjection(partition.projector, ())
        self.writes: Sequence[CheckpointedWrite] = ()
        with self.failing_alone():
            self.projection = partition.projector.start(chunk.recorded, chunk.end, unreadable=chunk.unreadable)

    @contextmanager
    def failing_alone(self) -> Iterator[None]:
        """Let a failure of this partition leave the others of its batch alone."""
        try:
            yield
        except (Superseded, ProjectionFailed):
            self.failed = True
            self.projection = ChunkProjection(self._partition.projector, ())

    def abandon(self) -> None:
        """Forget what is in memory, since Redis did not answer."""
        self._partition.projector.forget()

    def finish(self, refusals: Refusals) -> BatchResult:
        """Return what became of the chunk once the batch is committed; take it alone if it failed there."""
        with self.failing_alone():
            if not self.failed and all_applied(self.writes, refusals):
                self._partition.projector.moved(self.writes)
                return self._chunk.result(letters=0)
        return self._chunk.result(letters=self._partition.take_alone(self._chunk))


def take_together(chunks: Sequence[tuple[Partition, Sequence[Record]]]) -> list[BatchResult | Exception]:
    """Project chunks of several partitions with one reading and one commit for all; return what became of each.

    An outcome is :class:`OffsetGap` if records before the chunk are missing, :class:`Newer` if an event needs a newer program,
    :class:`VersionsChanged` if another version is served now, and what Redis raises if it does not answer. Then nothing is
    lost, and the chunk may be taken again.
    """
    outcomes: dict[int, BatchResult | Exception] = {}
    of_views: dict[int, list[int]] = {}
    for index, (partition, _) in enumerate(chunks):
        of_views.setdefault(id(partition.views), []).append(index)
    for indices in of_views.values():
        some = [chunks[index] for index in indices]
        outcomes.update(zip(indices, take_into(some[0][0].views, some), strict=True))
    for index, (partition, records) in enumerate(chunks):
        if partition.beside and isinstance(outcomes[index], BatchResult):
            try:
                partition.keep_up(records)
            except Exception as fault:  # noqa: BLE001 - the chunk is taken again; what is served skips it
                outcomes[index] = fault
    return [outcomes[index] for index in range(len(chunks))]


def take_into(views: Views, chunks: Sequence[tuple[Partition, Sequence[Record]]]) -> list[BatchResult | Exception]:
    """Project chunks of partitions that have the same views."""
    outcomes: dict[int, BatchResult | Exception] = {}
    attempts: dict[int, ChunkAttempt] = {}
    with ExitStack() as locks:
        for index, (partition, records) in enumerate(chunks):
            locks.enter_context(partition.lock)
            try:
                attempts[index] = ChunkAttempt(partition, partition.decode(records))
            except Exception as fault:  # noqa: BLE001 - it is this partition's outcome
                outcomes[index] = fault
        try:
            while keys := Keys.union(attempt.projection.needs() for attempt in attempts.values()):
                read = views.read(keys)
                for attempt in attempts.values():
                    with attempt.failing_alone():
                        attempt.projection.load(read)
            for attempt in attempts.values():
                with attempt.failing_alone():
                    attempt.writes = attempt.projection.fold()
            refusals = views.commit([write for attempt in attempts.values() for write in attempt.writes])
        except Exception as fault:  # noqa: BLE001 - each of them waits for it
            for attempt in attempts.values():
                attempt.abandon()
            outcomes.update(dict.fromkeys(attempts, fault))
        else:
            for index, attempt in attempts.items():
                try:
                    outcomes[index] = attempt.finish(refusals)
                except Exception as fault:  # noqa: BLE001
                    outcomes[index] = fault
    if len(chunks) > 1 and any(isinstance(outcome, redis.ResponseError) for outcome in outcomes.values()):
        return [outcome for chunk in chunks for outcome in take_into(views, [chunk])]  # one's refusal is not the others'
    return [outcomes[index] for index in range(len(chunks))]


def value_of(record: Record) -> bytes:
    return record.value or b""


def without_repeats(events: Sequence[tuple[Record, Recorded]]) -> list[tuple[Record, Recorded]]:
    """Leave out what is published twice within a chunk, so that positions rise."""
    reached, rising = 0, []
    for entry in events:
        if (position := entry[1].position) > reached:
            rising.append(entry)
            reached = position
    return rising
