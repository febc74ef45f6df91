"""What can be true of a membership: its events, its lots of points, its tier.

A purchase makes one lot. It is pending until its order's return window closes, which is known once the order is delivered
and holds as a predicate on time: no job has to run for points to become spendable. Money is minor units.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from aggregates.membership.lots import Lot, Lots
from aggregates.programme import ENTRY_TIER, Rate

Allocations: TypeAlias = tuple[tuple[str, int], ...]
"""Points by the lot they are taken from."""


@dataclass(frozen=True)
class PointsGranted:
    """``net``: what the order counts for. ``qualifying``: the spend of the rolling window, this order included."""

    member: str
    lot: str
    order: str
    points: int
    net: int
    tier: str
    multiplier: Rate
    qualifying: int
    terms: int
    at: int


@dataclass(frozen=True)
class LotActivated:
    """From ``active_from`` on, the lot's points are spendable; decided at delivery, when the return window is known."""

    member: str
    lot: str
    active_from: int
    at: int


@dataclass(frozen=True)
class PointsRedeemed:
    member: str
    redemption: str
    order: str | None
    points: int
    allocations: Allocations
    at: int


@dataclass(frozen=True)
class PointsClawedBack:
    """``points`` = those allocated + ``debt_added``, which later points settle before any is spendable."""

    member: str
    lot: str
    reversal: str
    points: int
    allocations: Allocations
    debt_added: int
    net: int
    qualifying: int
    at: int


@dataclass(frozen=True)
class DebtSettled:
    member: str
    lot: str
    points: int
    at: int


@dataclass(frozen=True)
class TierRaised:
    """Held from ``at`` until ``valid_until``, when it is reviewed."""

    member: str
    tier: str
    previous: str
    qualifying: int
    valid_until: int
    at: int


@dataclass(frozen=True)
class TierExtended:
    member: str
    tier: str
    qualifying: int
    valid_until: int
    at: int


@dataclass(frozen=True)
class TierLowered:
    """``reason``: ``review`` at the end of its year, or ``reversal`` of the purchase that had raised it."""

    member: str
    tier: str
    previous: str
    qualifying: int
    valid_until: int | None
    reason: str
    at: int


Event: TypeAlias = (
    PointsGranted | LotActivated | PointsRedeemed | PointsClawedBack | DebtSettled | TierRaised | TierExtended | TierLowered
)


@dataclass(frozen=True)
class Standing:
    """A tier, since when, and when it is reviewed (the entry tier never is)."""

    tier: str = ENTRY_TIER
    raised_at: int = 0
    valid_until: int | None = None


@dataclass(frozen=True)
class Membership:
    """``before``: the standing that the latest upgrade ended, which a reversal of it brings back."""

    lots: Lots = field(default_factory=Lots)
    owed: int = 0
    now: Standing = Standing()
    before: Standing = Standing()
    redemptions: frozenset[str] = frozenset()
    reversals: frozenset[tuple[str, str]] = frozenset()
    latest: int = 0  # the latest instant decided at: decisions never act backwards

    @property
    def tier(self) -> str:
        return self.now.tier

    def balance(self, now: int) -> int:
        """Points of active lots at an instant, less what is owed: spendable above nothing, debt below."""
        return sum(lot.remaining for lot in self.lots.values() if lot.is_active(now)) - self.owed

    def available(self, now: int) -> int:
        return max(0, self.balance(now))

    def debt(self, now: int) -> int:
        return max(0, -self.balance(now))

    def pending(self, now: int) -> int:
        return sum(lot.remaining for lot in self.lots.values() if not lot.is_active(now))


def evolve(state: Membership, event: Event) -> Membership:
    latest = max(state.latest, event.at)
    match event:
        case PointsGranted():
            lot = Lot(event.lot, event.at, event.multiplier, event.net, event.points, event.points)
            return with_lot(state, lot, latest)
        case LotActivated():
            known = state.lots[event.lot]
            lot = Lot(known.lot, known.at, known.multiplier, known.net, known.earned, known.remaining, event.active_from)
            return with_lot(state, lot, latest)
        case _:
            return evolve_rarely(replace(state, latest=latest), event)


def evolve_rarely(
    state: Membership, event: PointsRedeemed | PointsClawedBack | DebtSettled | TierRaised | TierExtended | TierLowered
) -> Membership:
    match event:
        case PointsRedeemed():
            return replace(taken(state, event.allocations), redemptions=state.redemptions | {event.redemption})
        case PointsClawedBack():
            lot = state.lots[event.lot]
            state = with_lot(state, replace(lot, net=event.net, earned=lot.earned - event.points), state.latest)
            reversals = state.reversals | {(event.lot, event.reversal)}
            return replace(taken(state, event.allocations), owed=state.owed + event.debt_added, reversals=reversals)
        case DebtSettled():
            return replace(taken(state, ((event.lot, event.points),)), owed=state.owed - event.points)
        case TierRaised():
            return replace(state, now=Standing(event.tier, event.at, event.valid_until), before=state.now)
        case TierLowered(reason="reversal"):
            raised_at = state.before.raised_at if event.tier == state.before.tier else state.now.raised_at
            return replace(state, now=Standing(event.tier, raised_at, event.valid_until), before=Standing())
        case TierExtended() | TierLowered():
            return replace(state, now=Standing(event.tier, state.now.raised_at, event.valid_until))
        case _:
            assert_never(event)


def with_lot(state: Membership, lot: Lot, latest: int) -> Membership:
    """Every purchase comes through here twice, hence no ``replace``, which is four times as slow."""
    lots = state.lots.with_lot(lot)
    return Membership(lots, state.owed, state.now, state.before, state.redemptions, state.reversals, latest)


def taken(state: Membership, allocations: Allocations) -> Membership:
    lots = state.lots
    for name, points in allocations:
        lots = lots.with_lot(replace(lots[name], remaining=lots[name].remaining - points))
    return replace(state, lots=lots)
