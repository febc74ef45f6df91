"""Explains a member's points or tier by every event and every instant that moved them.

It reads only the member's own stream and the policy, so the figures after each step are those that decisions go by. Steps of
time alone (points that become spendable) and what is due but not recorded yet have no position.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypeAlias

from aggregates.decider import stream_id
from aggregates.membership.decider import due_events, membership
from aggregates.membership.events import Event, LotActivated
from aggregates.membership.state import Membership, evolve
from aggregates.membership.tiers.qualification import Qualification
from aggregates.membership.tiers.state import TierEvent
from aggregates.programme import Policies
from infra.event_log.log import EventLog

TIER: tuple[type, ...] = TierEvent.__args__
"""Events of the tier; all other events of a membership concern points."""


@dataclass(frozen=True)
class LifeStep:
    """One change. ``event``: None for time alone, whose effect is then in ``said``. ``after``: the membership after it.

    ``wallet``: the wallet whose points moved; None for the tier and for actions.
    """

    position: int | None
    at: int
    event: Event | None
    after: Membership
    wallet: str | None
    said: str = ""


Fact: TypeAlias = tuple[int, Event]
"""A position and the event there."""


@dataclass(frozen=True)
class Life:
    """All steps in their order. ``now``: the membership at the instant asked about. ``policies``: all versions."""

    member: str
    steps: tuple[LifeStep, ...]
    now: Membership
    policies: Policies

    @property
    def tier(self) -> list[LifeStep]:
        """Return the steps of the tier."""
        return [step for step in self.steps if isinstance(step.event, TIER)]

    def points(self, wallet: str) -> list[LifeStep]:
        """Return the steps of a wallet, and the actions that rules go by."""
        return [step for step in self.steps if step.wallet in (wallet, None) and not isinstance(step.event, TIER)]


UNLIMITED = 2**31
"""Events of one stream: as many as there are."""


def read_life(log: EventLog, member: str, policies: Policies, now: int) -> tuple[Life, int]:
    """Return what happened to a member up to ``now``, and the position of the latest event in their stream, 0 without one."""
    rows = log.rows_of(stream_id(membership.name, member), UNLIMITED)
    facts: Any = [(row.position, log.codec.decode(row.name, row.state)) for row in rows]
    return life(member, facts, policies, now), rows[-1].position if rows else 0


def life(member: str, facts: Iterable[Fact], policies: Policies, now: int) -> Life:
    """Return what happened to a member up to ``now``, with what was due by then."""
    steps: list[LifeStep] = []
    state = Membership()
    waiting: list[tuple[int, str]] = []  # when points become spendable, and which lot
    told = list(takewhile(lambda fact: fact[1].at <= now, facts))
    due = ((None, event) for event in due_events(member, now, policies, _after(told)))
    for position, event in (*told, *due):
        steps += _by_time(waiting, max(event.at, state.latest), state)
        state = evolve(state, event)
        steps.append(LifeStep(position, event.at, event, state, getattr(event, "wallet", None)))
        if isinstance(event, LotActivated) and event.active_from > state.latest:
            waiting.append((event.active_from, event.lot))
    steps += _by_time(waiting, now, state)
    return Life(member, tuple(steps), state, policies)


def _after(facts: Iterable[Fact]) -> Membership:
    state = Membership()
    for _, event in facts:
        state = evolve(state, event)
    return state


def _by_time(waiting: list[tuple[int, str]], now: int, state: Membership) -> Iterator[LifeStep]:
    """Yield the lots whose points have become spendable by ``now``, and take them off ``waiting``."""
    waiting.sort()
    while waiting and waiting[0][0] <= now:
        at, lot = waiting.pop(0)
        told = state.points.lots[lot]
        if told.remaining:
            yield LifeStep(None, at, None, state, told.wallet, f"lot {lot}: {told.remaining:,} points become spendable")


@dataclass(frozen=True)
class Counted:
    """One thing that counts towards the tier: ``amount`` of the metric, dated ``at``."""

    what: str
    at: int
    amount: int


def counted(membership: Membership, policies: Policies, now: int) -> list[Counted]:
    """Return everything that counts in the window of ``now``; the amounts sum to the metric."""
    counting = Qualification(policies.at(now), membership)
    since = counting.opens(now)
    metric = counting.terms.qualifying.metric
    purchases = [bought for bought in membership.earning.purchases.values() if since < bought.at <= now]
    if metric == "spend":
        return [Counted(bought.order, bought.at, bought.net) for bought in purchases if bought.net]
    if metric == "orders":
        return [Counted(bought.order, bought.at, 1) for bought in purchases if bought.net > 0]
    lots = [lot for lot in counting.earned(since, now) if lot.earned and (metric == "points" or lot.by_action)]
    return [Counted(lot.lot, lot.at, lot.earned) for lot in lots]
