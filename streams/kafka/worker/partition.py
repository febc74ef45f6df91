"""One partition of a topic, folded: every event once, in order, with no hole, whoever else is or was at work on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from aggregates.decider import Recorded
from infra.codec import Codec
from infra.errors import Newer, Superseded, Unreadable
from infra.kafka.envelope import envelopes, unwrap
from infra.redis.asking import Ask, Asking, answered
from infra.redis.checkpoints import Checkpoint
from infra.redis.views import Views, made
from streams.kafka.dead_letters.letters import EVERY_FOLD
from streams.projecting.projector import ProjectionFailed, Projector, UnreadableEvent


class Record(Protocol):
    """What Kafka hands over."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


WriteDeadLetter: TypeAlias = Callable[[Record, str, str], None]
"""Puts a record where an operator finds it, with the fold that cannot take it and the reason; it returns once it is there."""

Told: TypeAlias = Sequence[tuple[Record, Recorded]]


class OffsetGap(Exception):  # noqa: N818 - it says where the effects are
    """The effects end before these records begin, or were set back: read again from ``offset``."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"{reason}: reading again from offset {offset}")
        self.offset = offset


class RedisRolledBack(OffsetGap):
    """Redis was restored, or failed over."""


@dataclass(frozen=True)
class BatchResult:
    """What came of a chunk, in records; ``skipped``: seen before. ``position``: the log's, of its last event."""

    records: int
    applied: int
    dead_lettered: int
    position: int
    skipped: int


class Partition:
    """``topic``: the broker's own id of it. Any thread may call; one at a time gets in."""

    def __init__(self, folding: Projector, views: Views, codec: Codec, topic: str, dead_letter: WriteDeadLetter) -> None:
        self._folding = folding
        self._views = views
        self._envelopes = envelopes(codec)
        self._topic = topic
        self._bury = dead_letter
        self._alone = threading.Lock()

    def resume(self) -> int:
        """The offset to read from, as Redis has it now; if that is not what was believed, what is held is forgotten."""
        with self._alone:
            self._folding.verify()
            return self._next_offset()

    def set_back(self) -> int | None:
        """The offset to read again from, if Redis stands before what was last written: it was restored, or failed over."""
        with self._alone:
            return self._next_offset() if self._folding.verify() else None

    def take(self, records: Sequence[Record]) -> BatchResult:
        """Fold a chunk and return when it is in Redis; raises what :meth:`taking` does."""
        return answered(self.taking(records), self._views.exchange)

    def taking(self, records: Sequence[Record]) -> Asking[BatchResult]:
        """Fold a chunk; it is done when it is in Redis. What it asks for is to be brought on one and the same thread.

        Raises :class:`OffsetGap` if records before it are missing, :class:`Newer` if an event needs a newer program,
        and what Redis raises when it does not answer; then nothing is lost, and the chunk may be taken again.
        """
        with self._alone:
            resume = self._next_offset()
            if records[0].offset > resume:
                raise OffsetGap(resume, f"{self._folding.source} goes on at offset {records[0].offset}")
            everything, unread, dead_lettered = self._told(records, resume)
            told = rising(everything)
            position = told[-1][1].position if told else 0
            there = Checkpoint(position, records[-1].offset, self._topic)
            known = min(place.position for place in self._folding.places.values())
            try:
                yield from self._move([recorded for _, recorded in told], there, unread)
            except ProjectionFailed:
                dead_lettered += yield from self._one_by_one(told, unread, there)
            applied = sum(recorded.position > known for _, recorded in told)
            return BatchResult(len(records), applied, dead_lettered, position, len(told) - applied)

    def _next_offset(self) -> int:
        return min(place.next_offset(self._topic) for place in self._folding.places.values())

    def _told(self, records: Sequence[Record], resume: int) -> tuple[Told, list[UnreadableEvent], int]:
        """Records with their events, those of our events that cannot be read, and how many records became dead letters."""
        try:
            return list(zip(records, self._envelopes.open(list(map(value_of, records))), strict=True)), [], 0
        except Newer:
            raise
        except Unreadable:
            return self._sorted_out(records, resume)

    def _sorted_out(self, records: Sequence[Record], resume: int) -> tuple[Told, list[UnreadableEvent], int]:
        told: list[tuple[Record, Recorded]] = []
        unread: list[UnreadableEvent] = []
        dead_lettered = 0
        for record in records:
            envelope = None
            try:
                envelope = unwrap(value_of(record))
                told += [(record, recorded) for recorded in self._envelopes.open([value_of(record)])]
            except Newer:
                raise
            except Unreadable as fault:
                if envelope:
                    unread.append(UnreadableEvent(record.offset, envelope.position, envelope.name))
                if record.offset >= resume:
                    self._bury(record, EVERY_FOLD, str(fault))
                    dead_lettered += 1
        return told, unread, dead_lettered

    def _move(
        self,
        chunk: Sequence[Recorded],
        there: Checkpoint,
        unread: Sequence[UnreadableEvent],
        without: frozenset[str] = frozenset(),
    ) -> Asking[None]:
        """Apply what is new of a chunk, however far others have come with it meanwhile."""
        while True:
            try:
                steps = yield from self._folding.steps(chunk, there, without, unread)
                if made(steps, (yield Ask(steps=tuple(steps)))):
                    return self._folding.moved(steps)
            except Superseded:
                pass
            except ProjectionFailed:
                self._ask_again()
                raise
            except BaseException:
                self._folding.forget()
                raise
            self._ask_again()  # somebody else was there, perhaps before the documents were read

    def _ask_again(self) -> None:
        """Read the checkpoints again. Raises :class:`RedisRolledBack` if Redis holds less than it did."""
        try:
            self._folding.ask_again()
        except Superseded:
            raise RedisRolledBack(self._next_offset(), f"{self._folding.source} was set back in Redis") from None

    def _one_by_one(self, told: Told, unread: Sequence[UnreadableEvent], there: Checkpoint) -> Asking[int]:
        """Find the events that a fold cannot take and dead-letter them for it; how many."""
        dead_lettered = 0
        for record, recorded in told:
            without: frozenset[str] = frozenset()
            here = Checkpoint(recorded.position, record.offset, self._topic)
            passed = [event for event in unread if event.offset < record.offset]
            while True:
                try:
                    yield from self._move([recorded], here, passed, without)
                    break
                except ProjectionFailed as fault:
                    self._bury(record, fault.fold, str(fault))
                    without |= {fault.fold}
            dead_lettered += len(without)
        yield from self._move([], there, unread)  # these may be at the end
        return dead_lettered


def value_of(record: Record) -> bytes:
    return record.value or b""


def rising(told: Told) -> Told:
    """Without what is published twice within a chunk: each position is behind all before it."""
    reached, rises = 0, []
    for entry in told:
        if (position := entry[1].position) > reached:
            rises.append(entry)
            reached = position
    return rises
