"""The rules of points: granting, activating, redeeming, and taking back what a refund un-earns.

Points = floor(net × multiplier), net in major units, rounded once, on the order. Redeeming takes what became active first
(membership semantics 2.1, worked examples 2 and 3). Clawback is cumulative: after any refunds, in any order, the points
left are exactly those that the retained net earns; what is no longer there becomes debt, settled before anything is spent.
"""

from __future__ import annotations

from aggregates.kernel import Refusal
from aggregates.membership.facts import Membership
from aggregates.membership.lots import Lot
from aggregates.membership.points import (
    Allocations,
    DebtSettled,
    Ledger,
    LotActivated,
    PointsClawedBack,
    PointsGranted,
    PointsRedeemed,
)
from aggregates.programme import Programme, Rate
from aggregates.programme_time import add_days


def points_for(net: int, multiplier: Rate, unit: int) -> int:
    """Points that ``net`` minor units earn; ``unit`` minor units make a major one.

    >>> points_for(22550, (3, 2), 100)
    338
    """
    numerator, denominator = multiplier
    return net * numerator // (denominator * unit)


def grant(member: str, order: str, net: int, at: int, terms: Programme, tier: str, qualifying: int) -> PointsGranted:
    multiplier = terms.multiplier(tier)
    points = points_for(net, multiplier, terms.unit)
    return PointsGranted(member, order, order, points, net, tier, multiplier, qualifying, terms.version, at)


def activate(member: str, order: str, delivered: int, terms: Programme) -> LotActivated:
    return LotActivated(member, order, add_days(delivered, terms.return_days, terms.zone), delivered)


def redeem(
    member: str, redemption: str, points: int, order: str | None, now: int, state: Ledger
) -> list[DebtSettled | PointsRedeemed]:
    available = state.available(now)
    if points > available:
        raise Refusal("points_short", f"Only {available} points can be spent; {points} were asked for.")
    active = sorted((lot for lot in state.lots.values() if lot.is_active(now)), key=first_active)
    settled = allocate(state.owed, active)
    used = dict(settled)
    left = [(lot.lot, lot.remaining - used.get(lot.lot, 0)) for lot in active]
    spent = take(points, left)
    return [
        *(DebtSettled(member, lot, settled_points, now) for lot, settled_points in settled),
        PointsRedeemed(member, redemption, order, points, spent, now),
    ]


def claw_back(
    member: str, order: str, reversal: str, net: int, at: int, terms: Programme, state: Membership, qualifying: int
) -> PointsClawedBack:
    """``net``: what the order still counts for. Taken from its own lot, then from others, the rest is owed."""
    bought, ledger = state.earning.purchases[order], state.points
    lot = ledger.lots[order]
    points = lot.earned - min(lot.earned, points_for(net, bought.multiplier, terms.unit))
    others = sorted((other for other in ledger.lots.values() if other is not lot and other.is_active(at)), key=first_active)
    allocations = allocate(points, [lot, *others])
    owed = points - sum(taken for _, taken in allocations)
    return PointsClawedBack(member, order, reversal, points, allocations, owed, net, qualifying, at)


def first_active(lot: Lot) -> tuple[int, int, str]:
    return lot.active_from or 0, lot.at, lot.lot


def allocate(points: int, lots: list[Lot]) -> Allocations:
    return take(points, [(lot.lot, lot.remaining) for lot in lots])


def take(points: int, left: list[tuple[str, int]]) -> Allocations:
    """Take ``points`` from the lots in order, as far as they go."""
    taken = []
    for lot, remaining in left:
        part = min(points, remaining)
        if part > 0:
            taken.append((lot, part))
            points -= part
    return tuple(taken)
