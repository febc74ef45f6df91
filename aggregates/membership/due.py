"""What time brings to a membership: each thing at its own instant, in the order of those instants.

It holds from that instant on. Every decision records it first, a tick records it of members who ask for nothing; the facts are
the same, at the instant they were due, so nothing depends on when they are noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from aggregates.membership.events import Event, Membership, evolve
from aggregates.membership.ledger.due import first_due
from aggregates.membership.ledger.lots import NEVER
from aggregates.membership.tiers import judging as tiers
from aggregates.membership.tiers import override as overriding
from aggregates.membership.tiers.qualification import Counting
from aggregates.programme import Policies


def due(state: Membership) -> int | None:
    """From when on something is due, None if time alone changes nothing."""
    instant = earliest(state)
    return None if instant == NEVER else instant


def earliest(state: Membership) -> int:
    tier, points = state.standing.due, state.points.due
    return points if tier is None or points < tier else tier


def recorded(member: str, now: int, policies: Policies, state: Membership) -> Iterator[Event]:
    """All that is due at ``now``, one fact after the other, each by the terms in force when it was due."""
    while (instant := earliest(state)) <= now:
        event = brought(member, instant, max(instant, state.latest), policies, state)
        yield event
        state = evolve(state, event)


def brought(member: str, due: int, at: int, policies: Policies, state: Membership) -> Event:
    """What is due, recorded ``at``: points first. An override that ends when its tier is reviewed ends before that."""
    if state.points.due <= due:
        return first_due(member, state.points, state.latest)
    override, counting = state.standing.override, Counting(policies.at(due), state)
    if override and override.until == due:
        return overriding.ended(member, override.override, overriding.OVER, None, due, at, counting)
    return tiers.review(member, due, at, counting)


def as_of(now: int, policies: Policies, state: Membership) -> Membership:
    """The membership as it is at ``now``, whether or not what was due by then is recorded."""
    return reduce(evolve, recorded("", now, policies, state), state)
