"""The ledger: lots of points, what is taken from them, what is owed.

A purchase makes one lot. It is pending until its order's return window closes, which is known once the order is delivered
and holds as a predicate on time: no job has to run for points to become spendable. Money is minor units.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from aggregates.membership.lots import Lot, Lots
from aggregates.programme import Rate

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


Event: TypeAlias = PointsGranted | LotActivated | PointsRedeemed | PointsClawedBack | DebtSettled


@dataclass(frozen=True)
class Ledger:
    lots: Lots = field(default_factory=Lots)
    owed: int = 0
    redemptions: frozenset[str] = frozenset()
    reversals: frozenset[tuple[str, str]] = frozenset()

    def balance(self, now: int) -> int:
        """Points of active lots at an instant, less what is owed: spendable above nothing, debt below."""
        return sum(lot.remaining for lot in self.lots.values() if lot.is_active(now)) - self.owed

    def available(self, now: int) -> int:
        return max(0, self.balance(now))

    def debt(self, now: int) -> int:
        return max(0, -self.balance(now))

    def pending(self, now: int) -> int:
        return sum(lot.remaining for lot in self.lots.values() if not lot.is_active(now))


def evolve(state: Ledger, event: Event) -> Ledger:
    match event:
        case PointsGranted():
            return with_lot(state, Lot(event.lot, event.at, event.points, event.points))
        case LotActivated():
            known = state.lots[event.lot]
            return with_lot(state, Lot(known.lot, known.at, known.earned, known.remaining, event.active_from))
        case PointsRedeemed():
            return replace(taken(state, event.allocations), redemptions=state.redemptions | {event.redemption})
        case PointsClawedBack():
            lot = state.lots[event.lot]
            state = with_lot(state, replace(lot, earned=lot.earned - event.points))
            reversals = state.reversals | {(event.lot, event.reversal)}
            return replace(taken(state, event.allocations), owed=state.owed + event.debt_added, reversals=reversals)
        case DebtSettled():
            return replace(taken(state, ((event.lot, event.points),)), owed=state.owed - event.points)
        case _:
            assert_never(event)


def with_lot(state: Ledger, lot: Lot) -> Ledger:
    """Every purchase comes through here twice, hence no ``replace``, which is four times as slow."""
    return Ledger(state.lots.with_lot(lot), state.owed, state.redemptions, state.reversals)


def taken(state: Ledger, allocations: Allocations) -> Ledger:
    lots = state.lots
    for name, points in allocations:
        lots = lots.with_lot(replace(lots[name], remaining=lots[name].remaining - points))
    return replace(state, lots=lots)
