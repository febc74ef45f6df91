"""Checks the books of every member day by day: opening + what was moved = closing.

It reads the log alone, one member after another. So it shares no fault with the read models, and does not slow decisions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, takewhile
from typing import Any

from aggregates.calendar import local_day
from aggregates.decider import stream_id
from aggregates.membership.decider import due_events, membership
from aggregates.membership.events import Event
from aggregates.membership.ledger.books import Closing, Liability, MovementKind, closing, movements
from aggregates.membership.ledger.state import LedgerEvent
from aggregates.membership.state import Membership
from aggregates.programme import Policies
from infra.event_log.log import EventLog

LEDGER: tuple[type, ...] = LedgerEvent.__args__


@dataclass(frozen=True)
class Difference:
    """A closing that is not what the day's movements make of the opening."""

    member: str
    day: str
    wallet: str
    expected: Closing
    found: Closing


@dataclass
class Audit:
    """The result for the whole log. ``rolled``: what was moved, by wallet, day and kind. ``days``: closings checked."""

    rolled: dict[tuple[str, str], Counter[MovementKind]] = field(default_factory=dict)
    liabilities: dict[str, Liability] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    members: int = 0
    days: int = 0


def audit(log: EventLog, policies: Policies, now: int, progress: Callable[[int], None] = lambda _: None) -> Audit:
    """Check all that had happened by ``now``, including what had become due. ``progress`` gets the members checked so far."""
    done = Audit()
    prefix = stream_id(membership.name, "")
    for stream in log.streams_between(prefix):
        facts: Any = log.read(stream)[0]
        events = list(takewhile(lambda event: event.at <= now, facts))  # an event after a later one was not known yet
        if events:
            check_member(stream.removeprefix(prefix), events, policies, now, done)
            progress(done.members)
    return done


def check_member(member: str, events: list[Event], policies: Policies, now: int, done: Audit) -> None:
    """Fold the events of one member and check the closing of each day on which something happened."""
    zone = policies.at(now).zone
    state = Membership()
    done.members += 1
    books: Counter[tuple[str, bool]] = Counter()
    for day, facts in groupby(dated(member, events, policies, now), lambda fact: local_day(fact[0], zone)):
        for _, event in facts:
            state = membership.evolve(state, event)
            if not isinstance(event, LEDGER):
                continue
            for moved in movements(event):  # type: ignore[arg-type]
                books[moved.wallet, moved.kind == "owed"] += moved.points
                done.rolled.setdefault((moved.wallet, day), Counter())[moved.kind] += moved.points
        check_closing(member, day, books, state, done)
    for wallet in {lot.wallet for lot in state.points.lots.all()}:
        liability = done.liabilities.setdefault(wallet, Liability())
        liability.add(state.points, wallet, now, zone)
        liability.add_orders(state.earning.purchases.values(), state.points, wallet, now)


def dated(member: str, events: list[Event], policies: Policies, now: int) -> Iterator[tuple[int, Event]]:
    """Yield events in the order in which they became known (a late one when it came), then those due but not recorded."""
    latest = 0
    for event in events:
        latest = max(latest, event.at)
        yield latest, event
    for event in due_events(member, now, policies, membership.rebuild(events)):
        latest = max(latest, event.at)
        yield latest, event


def check_closing(member: str, day: str, books: Counter[tuple[str, bool]], state: Membership, done: Audit) -> None:
    """Compare what the events say was moved with what the lots say is there."""
    done.days += 1
    found = closing(state.points)
    for wallet in {wallet for wallet, _ in books}:
        expected = Closing(books[wallet, False], books[wallet, True])
        if found.get(wallet, Closing()) != expected:
            done.differences.append(Difference(member, day, wallet, expected, found.get(wallet, Closing())))
