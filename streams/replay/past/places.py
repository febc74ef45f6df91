"""Which position of the log an instant means, and which instant a position.

Two axes: *recorded* is the order of the log, *dated* is when each fact happened in the shop. A past answer must not change
because a fact was recorded late, so an instant means a position: the last one before the shop's clock passed it. That clock is
the latest instant that any event was dated so far; the log keeps it every 2,000 events, so that only one stretch is read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from infra.event_log.log import EventLog
from infra.event_log.types import ClockRow
from infra.settings import CHUNK

Axis: TypeAlias = Literal["recorded", "dated"]

STEP = 2000
"""Events between two rows of the clock. A stored row never changes, so neither does this."""

NOTED = 500
"""Rows of the clock that are stored at once."""


MOST_DIGITS = 18
"""Of a position that somebody writes: no log is longer."""


def position_in(text: str) -> int | None:
    """Return the position that a text names, None for one that names something else, such as an instant.

    >>> position_in("#120"), position_in("120"), position_in("2017-01-08"), position_in("²"), position_in("#" + "9" * 5000)
    (120, 120, None, None, None)
    """
    number = text.removeprefix("#")
    return int(number) if number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS else None


@dataclass(frozen=True)
class Place:
    """``position``: of the last event that counts. ``instant``: documents move on to it by time alone, in UTC epoch ms.

    ``late``: events behind the position that are dated at or before the instant. ``final``: False if the shop's clock has not
    passed the instant yet, so that events to come may still count. ``axis``: *recorded* leaves the late ones out; *dated*
    takes in every event dated at or before the instant. ``cuts``: the request whose events lie on both sides.
    """

    position: int
    instant: int
    late: int = 0
    final: bool = True
    axis: Axis = "recorded"
    cuts: str | None = None

    def document(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return asdict(self)


def place_of(log: EventLog, at: int) -> Place:
    """Return the place in the log up to which the shop's clock had not passed ``at``; the head if it never did.

    Facts that were recorded late do not change it, so a past answer stays as it was.
    """
    clock = LogClock(log)
    position = clock.position_before(at)
    if position == clock.head:
        return Place(position, at, final=False)
    return Place(position, at, clock.dated_until(at, position))


def place_at(log: EventLog, position: int) -> Place:
    """Return the place after the first ``position`` events. Its instant is the shop's clock there."""
    outcome = log.request_at(position) if position else None
    cut = outcome.request if outcome and outcome.position > position else None
    return Place(position, LogClock(log).at(position), cuts=cut)


class LogClock:
    """The shop's clock along the log, up to the ``head`` that it had when this was made. Rows that are missing are stored."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._rows = log.clock()
        self.head = log.head()
        self._extend()

    def at(self, position: int) -> int:
        """Return the clock after the event at a position."""
        row = self._before(position)
        return max([row.latest, *(at for _, at in self._instants(row.position, position))])

    def position_before(self, at: int) -> int:
        """Return the last position at which the clock had not passed ``at``; 0 if the first event was later."""
        number = bisect_right([row.latest for row in self._rows], at)
        after = self._rows[number - 1].position if number else 0
        until = self._rows[number].position if number < len(self._rows) else self.head
        return next((position - 1 for position, dated in self._instants(after, until) if dated > at), until)

    def dated_until(self, at: int, after: int) -> int:
        """Return how many events after a position are dated at or before ``at``."""
        found, reached = 0, 0
        for row in (*self._rows, ClockRow(self.head, 0, 0)):
            if row.position > after and row.earliest <= at:
                found += sum(dated <= at for _, dated in self._instants(max(reached, after), row.position))
            reached = row.position
        return found

    def _before(self, position: int) -> ClockRow:
        number = bisect_right([row.position for row in self._rows], position)
        return self._rows[number - 1] if number else ClockRow(0, 0, 0)

    def _instants(self, after: int, until: int) -> Iterator[tuple[int, int]]:
        """Yield the position and the date of each event after a position, up to another."""
        while after < until and (chunk := self._log.recorded(after, min(CHUNK, until - after))):
            yield from ((recorded.position, recorded.event.at) for recorded in chunk)  # type: ignore[attr-defined]
            after = chunk[-1].position

    def _extend(self) -> None:
        """Note the clock for every whole step that the log has grown since it was noted last."""
        new: list[ClockRow] = []
        last = self._rows[-1] if self._rows else ClockRow(0, 0, 0)
        while last.position + STEP <= self.head:
            dates = [at for _, at in self._instants(last.position, last.position + STEP)]
            last = ClockRow(last.position + STEP, max(last.latest, *dates), min(dates))
            new.append(last)
            if len(new) == NOTED:
                self._note(new)
                new = []
        self._note(new)

    def _note(self, rows: list[ClockRow]) -> None:
        if rows:
            self._log.note_clock(rows)
            self._rows += rows
