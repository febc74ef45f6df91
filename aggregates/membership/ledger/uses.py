"""Points that are held for an order, spent, and given back."""

from __future__ import annotations

from typing import TypeAlias

from aggregates.membership.ledger.grants import Allocations
from aggregates.membership.ledger.lots import DEFAULT_WALLET
from aggregates.value import Value


class IssuedLot(Value):
    """A new lot in place of points of ``source``: spendable at once, until ``expires_at``."""

    lot: str
    source: str
    points: int
    expires_at: int | None


class PointsHeld(Value):
    """Set apart for an order until it is settled, or until ``until``. Held points do not lapse.

    ``money``: what they are worth to that order, in minor units, under version ``terms`` of the policy.
    """

    member: str
    hold: str
    wallet: str
    order: str | None
    points: int
    allocations: Allocations
    until: int
    money: int
    terms: int
    at: int


class HoldCaptured(Value):
    """The held points are spent: a redemption of the hold's name comes with it."""

    member: str
    hold: str
    wallet: str
    allocations: Allocations
    at: int


class HoldReleased(Value):
    """Back to the lots, but for those that are over by then: they have ``lapsed``.

    Where the shop gave up the order, points live on for some days at least, ``reissued``.
    ``reason``: ``expired``, ``released`` or ``shop``.
    """

    member: str
    hold: str
    wallet: str
    restored: Allocations
    lapsed: Allocations
    reissued: tuple[IssuedLot, ...]
    reason: str
    at: int


class PointsRedeemed(Value):
    """``money``: what the points were worth, in minor units, under version ``terms`` of the policy."""

    member: str
    redemption: str
    order: str | None
    points: int
    allocations: Allocations
    at: int
    wallet: str = DEFAULT_WALLET
    money: int = 0
    terms: int = 1


class PointsReturned(Value):
    """Spent points come back to the lots they were taken from, what was to expire last first.

    Of a lot that is over by now they are ``reissued``, never for long.
    """

    member: str
    redemption: str
    reversal: str
    wallet: str
    points: int
    restored: Allocations
    reissued: tuple[IssuedLot, ...]
    money: int
    at: int


class RewardClaimed(Value):
    """``item``: the campaign whose coupon, or the product, that ``price`` points bought; a redemption of the claim's name
    comes with it. ``stock``: how many of the reward there are in all, None for no bound.
    """

    member: str
    claim: str
    reward: str
    gives: str
    item: str
    price: int
    stock: int | None
    wallet: str
    terms: int
    at: int


class RewardReturned(Value):
    """All the points of a claim have come back: what it took of the reward is there for others. ``stock``: as of the claim."""

    member: str
    claim: str
    reward: str
    stock: int | None
    at: int


Event: TypeAlias = RewardClaimed | RewardReturned | PointsHeld | HoldCaptured | HoldReleased | PointsRedeemed | PointsReturned
