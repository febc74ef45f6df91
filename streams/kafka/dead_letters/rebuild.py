"""Rebuilds from the log what a fold should hold of one key: its documents, or the fields that a tally sets.

In most folds a document is written by the events of one key alone. Where a topic has one partition, several keys may write it:
a session's pointer is written by each member who is recognised in it. Then the events of all of them are folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from aggregates.decider import Recorded
from aggregates.delta import Delta, Scalar
from infra.codec import key_of
from infra.errors import Fault, Unreadable
from infra.event_log.log import EventLog
from infra.event_log.types import Row
from infra.settings import CHUNK
from projections.projection import DocumentFold, Tally
from streams.registry import EVENTS

ReadProgress: TypeAlias = Callable[[int, int], None]
"""Called with how far the log has been read, and how far it will be."""

IsMissing: TypeAlias = Callable[[int], bool]
"""Whether the fold has left out the event at a position, because that is a dead letter too."""


class RetryFailed(Fault):
    """This program cannot fold the letter's event either."""


class EventRows:
    """The log's rows of some events, in order, read in pages."""

    def __init__(self, log: EventLog, events: frozenset[type], progress: ReadProgress) -> None:
        self._log = log
        self._names = {name for event in events for name in EVENTS[event].stored_names}
        self._progress = progress

    def between(self, after: int, upto: int) -> Iterator[Row]:
        """Return the rows after a position, up to another."""
        while after < upto and (page := self._log.since(after, min(CHUNK, upto - after))):
            yield from (row for row in page if row.name in self._names)
            after = page[-1].position
            self._progress(after, upto)


class DocumentRebuild:
    """Folds the documents of ``key`` from nothing. ``wanted``: the position of the event that must be among what is folded.

    ``shared``: whether events of other keys may write the documents as well.
    """

    def __init__(
        self, fold: DocumentFold, log: EventLog, rows: EventRows, key: str, wanted: int, is_missing: IsMissing, shared: bool
    ) -> None:
        self._fold = fold
        self._log = log
        self._rows = rows
        self._key = key
        self._wanted = wanted
        self._is_missing = is_missing
        self._shared = shared
        self._keys = {key}
        self._touched: set[str] = set()
        self._documents: dict[str, Any] = {}
        self._reached = 0

    def advance(self, position: int) -> Delta:
        """Return the key's documents after all events up to a position, None for those that are gone.

        Raises :class:`RetryFailed`.
        """
        while self._fold_on(position) and self._shared:
            self._documents, self._reached = {}, 0  # more keys write them than were known: begin again with these
        delta = Delta()
        delta.documents.update((name, self._documents.get(name)) for name in self._touched)
        return delta

    def _fold_on(self, position: int) -> bool:
        """Fold up to a position, and return whether further keys or documents turned out to belong together."""
        known = len(self._keys), len(self._touched)
        for row in self._rows.between(self._reached, position):
            key = key_of(row.state)
            if key in self._keys:
                recorded = folded(self._log, row, self._wanted, self._is_missing, partial(self._fold_one, key))
            elif self._shared:
                recorded = decoded(self._log, row)
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


class FieldRebuild:
    """Folds the fields that a tally's events of one key set. Sums do not depend on the order, so they need no rebuild."""

    def __init__(self, fold: Tally, log: EventLog, rows: EventRows, key: str, wanted: int, is_missing: IsMissing) -> None:
        self._fold = fold
        self._log = log
        self._rows = rows
        self._key = key
        self._wanted = wanted
        self._is_missing = is_missing
        self._fields: dict[str, dict[str, Scalar | None]] = {}
        self._reached = 0

    def advance(self, position: int) -> Delta:
        """Return the fields after all events up to a position. Raises :class:`RetryFailed`."""
        for row in self._rows.between(self._reached, position):
            if key_of(row.state) == self._key:
                folded(self._log, row, self._wanted, self._is_missing, self._fold_one)
        self._reached = position
        delta = Delta()
        delta.fields.update(self._fields)
        return delta

    def _fold_one(self, recorded: Recorded) -> None:
        for name, fields in self._fold.fold([recorded]).fields.items():
            self._fields.setdefault(name, {}).update(fields)


def folded(log: EventLog, row: Row, wanted: int, is_missing: IsMissing, fold: Callable[[Recorded], None]) -> Recorded | None:
    """Fold a row's event and return it. Return None if that fails and the fold has left this event out.

    Raises :class:`RetryFailed` if that fails over the wanted event, or over one that the fold took before.
    """
    try:
        recorded = Recorded(row.position, log.codec.decode(row.name, row.state))
        fold(recorded)
    except Exception as fault:
        if row.position == wanted:
            raise RetryFailed(f"Event #{wanted} ({row.name}) still cannot be taken: {fault!r}.") from fault
        if not is_missing(row.position):
            raise RetryFailed(f"Event #{row.position} ({row.name}) could be taken once, and cannot now: {fault!r}.") from fault
        return None
    return recorded


def decoded(log: EventLog, row: Row) -> Recorded | None:
    """Return a row's event, None if it cannot be read."""
    try:
        return Recorded(row.position, log.codec.decode(row.name, row.state))
    except Unreadable:
        return None
