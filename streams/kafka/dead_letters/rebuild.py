"""What a fold should hold of one key, made again from the log: its documents, or the fields that a tally sets.

A document of most folds is written by events of one key alone. Where a topic has one partition it may be written by several, as
a session's pointer is by each member who is recognised in it; then the events of all of them are folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from aggregates.decider import Recorded
from aggregates.delta import Delta, Scalar
from infra.codec import key_of
from infra.errors import Fault, Unreadable
from infra.event_log.log import EventLog
from infra.event_log.types import Row
from infra.settings import CHUNK
from projections.projection import Documents, Tally
from streams.registry import EVENTS

Tell: TypeAlias = Callable[[int, int], None]
"""Hears how far the log has been read, and how far it will be."""

Lacks: TypeAlias = Callable[[int], bool]
"""Whether the fold goes without the event at a position for now, since that is among the dead letters too."""


class RetryFailed(Fault):
    """The event of a letter cannot be folded by this version either."""


class Rows:
    """Of some events, in the order of the log, read in pages."""

    def __init__(self, log: EventLog, events: frozenset[type], tell: Tell) -> None:
        self._log = log
        self._names = {name for event in events for name in EVENTS[event].stored_names}
        self._tell = tell

    def between(self, after: int, upto: int) -> Iterator[Row]:
        """Those behind a position, up to another."""
        while after < upto and (page := self._log.since(after, min(CHUNK, upto - after))):
            yield from (row for row in page if row.name in self._names)
            after = page[-1].position
            self._tell(after, upto)


class DocumentRebuild:
    """Documents of ``key``, folded from nothing. ``wanted``: the event that must be among what is folded, by its position.

    ``shared``: whether events of other keys may write them as well.
    """

    def __init__(self, fold: Documents, log: EventLog, rows: Rows, key: str, wanted: int, lacks: Lacks, shared: bool) -> None:
        self._fold = fold
        self._log = log
        self._rows = rows
        self._key = key
        self._wanted = wanted
        self._lacks = lacks
        self._shared = shared
        self._keys = {key}
        self._touched: set[str] = set()
        self._documents: dict[str, Any] = {}
        self._reached = 0

    def reach(self, position: int) -> Delta:
        """The key's documents after all events up to a position; those that there are no more are None.

        Raises :class:`RetryFailed`.
        """
        while self._reach(position) and self._shared:
            self._documents, self._reached = {}, 0  # more keys, or more documents, than were known on the way
        delta = Delta()
        delta.documents.update((name, self._documents.get(name)) for name in self._touched)
        return delta

    def _reach(self, position: int) -> bool:
        """Fold on; whether it was found on the way that more keys write the documents, or more documents are the key's."""
        known = len(self._keys), len(self._touched)
        for row in self._rows.between(self._reached, position):
            key = key_of(row.state)
            if key in self._keys:
                recorded = taken(self._log, row, self._wanted, self._lacks, partial(self._fold_one, key))
            elif self._shared:
                recorded = glimpsed(self._log, row)
            else:
                continue
            needed = self._fold.needs([recorded]) if recorded else {}
            if key == self._key:
                self._touched.update(needed)
            elif not self._touched.isdisjoint(needed):
                self._keys.add(key)
        self._reached = position
        return known != (len(self._keys), len(self._touched))

    def _fold_one(self, key: str, recorded: Recorded) -> None:
        changed = self._fold.fold(self._documents, [recorded]).documents
        if key == self._key:
            self._touched.update(changed)


def taken(log: EventLog, row: Row, wanted: int, lacks: Lacks, act: Callable[[Recorded], None]) -> Recorded | None:
    """A row's event, after ``act`` has had it; None if the fold goes without it for now.

    Raises :class:`RetryFailed` if it is the one that is wanted, or one that the fold took before.
    """
    try:
        recorded = Recorded(row.position, log.codec.decode(row.name, row.state))
        act(recorded)
    except Exception as fault:
        if row.position == wanted:
            raise RetryFailed(f"Event #{wanted} ({row.name}) still cannot be taken: {fault!r}.") from fault
        if not lacks(row.position):
            raise RetryFailed(f"Event #{row.position} ({row.name}) could be taken once, and now not: {fault!r}.") from fault
        return None
    return recorded


def glimpsed(log: EventLog, row: Row) -> Recorded | None:
    """Another key's event, None if it cannot be read."""
    try:
        return Recorded(row.position, log.codec.decode(row.name, row.state))
    except Unreadable:
        return None


class FieldRebuild:
    """The fields that a tally's events of one key set last; its sums are no matter of order."""

    def __init__(self, fold: Tally, log: EventLog, rows: Rows, key: str, wanted: int, lacks: Lacks) -> None:
        self._fold = fold
        self._log = log
        self._rows = rows
        self._key = key
        self._wanted = wanted
        self._lacks = lacks
        self._fields: dict[str, dict[str, Scalar | None]] = {}
        self._reached = 0

    def reach(self, position: int) -> Delta:
        for row in self._rows.between(self._reached, position):
            if key_of(row.state) == self._key:
                taken(self._log, row, self._wanted, self._lacks, self._fold_one)
        self._reached = position
        delta = Delta()
        delta.fields.update(self._fields)
        return delta

    def _fold_one(self, recorded: Recorded) -> None:
        told: Mapping[str, dict[str, Scalar | None]] = self._fold.fold([recorded]).fields
        for name, fields in told.items():
            self._fields.setdefault(name, {}).update(fields)
