"""Why a member's points or tier stand as they do: every fact and every instant that moved them, from the first to now.

Nothing is read but the member's own stream and the policy: the figures after each step are those that the decisions themselves
go by, so what is told here is what is so. Steps of time alone (points that become spendable) and what is due but not recorded
yet have no position.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeAlias

from aggregates.membership.due import recorded
from aggregates.membership.events import Event, LotActivated, Membership, evolve
from aggregates.membership.tiers import state as standing
from aggregates.membership.tiers.qualification import Counting
from aggregates.programme import Policies

TIER: tuple[type, ...] = standing.Event.__args__
"""Facts that concern the tier; all others of a membership concern points."""


@dataclass(frozen=True)
class Step:
    """``event``: what happened, None for time alone. ``said``: of time, what it brought. ``after``: how it stands then.

    ``wallet``: whose points moved; None for the tier, and for what was done.
    """

    position: int | None
    at: int
    event: Event | None
    after: Membership
    wallet: str | None
    said: str = ""


Fact: TypeAlias = tuple[int, Event]
"""A position and what stands there."""


@dataclass(frozen=True)
class Life:
    """``steps``: in their order. ``now``: the membership as it is at the instant asked about. ``policies``: all versions."""

    member: str
    steps: tuple[Step, ...]
    now: Membership
    policies: Policies

    @property
    def tier(self) -> list[Step]:
        return [step for step in self.steps if isinstance(step.event, TIER)]

    def points(self, wallet: str) -> list[Step]:
        """Those of a wallet, and what was done that rules go by."""
        return [step for step in self.steps if step.wallet in (wallet, None) and not isinstance(step.event, TIER)]


def life(member: str, facts: Iterable[Fact], policies: Policies, now: int) -> Life:
    """What happened to a member until something happened after ``now``, with what was due by then."""
    steps: list[Step] = []
    state = Membership()
    waiting: list[tuple[int, str]] = []  # when points become spendable, and which lot
    told = list(takewhile(lambda fact: fact[1].at <= now, facts))
    due = ((None, event) for event in recorded(member, now, policies, _after(told)))
    for position, event in (*told, *due):
        steps += _by_time(waiting, max(event.at, state.latest), state)
        state = evolve(state, event)
        steps.append(Step(position, event.at, event, state, getattr(event, "wallet", None)))
        if isinstance(event, LotActivated) and event.active_from > state.latest:
            waiting.append((event.active_from, event.lot))
    steps += _by_time(waiting, now, state)
    return Life(member, tuple(steps), state, policies)


def _after(facts: Iterable[Fact]) -> Membership:
    state = Membership()
    for _, event in facts:
        state = evolve(state, event)
    return state


def _by_time(waiting: list[tuple[int, str]], now: int, state: Membership) -> Iterator[Step]:
    """Lots whose points have become spendable by ``now``; they are ``waiting`` no longer."""
    waiting.sort()
    while waiting and waiting[0][0] <= now:
        at, lot = waiting.pop(0)
        told = state.points.lots[lot]
        if told.remaining:
            yield Step(None, at, None, state, told.wallet, f"lot {lot}: {told.remaining:,} points become spendable")


@dataclass(frozen=True)
class Counted:
    """What counts towards the tier: ``amount`` of the metric, dated ``at``."""

    what: str
    at: int
    amount: int


def counted(membership: Membership, policies: Policies, now: int) -> list[Counted]:
    """All that makes the metric of the window of ``now``; the amounts sum to it."""
    counting = Counting(policies.at(now), membership)
    since = counting.opens(now)
    metric = counting.terms.qualifying.metric
    purchases = [bought for bought in membership.earning.purchases.values() if since < bought.at <= now]
    if metric == "spend":
        return [Counted(bought.order, bought.at, bought.net) for bought in purchases if bought.net]
    if metric == "orders":
        return [Counted(bought.order, bought.at, 1) for bought in purchases if bought.net > 0]
    lots = [lot for lot in counting.earned(since, now) if lot.earned and (metric == "points" or lot.by_action)]
    return [Counted(lot.lot, lot.at, lot.earned) for lot in lots]
