"""What members ask of their points: to spend them, to hold them for an order, to have them back.

``by``: who of a pool's members asks, where ``member`` is a pool. ``wallet`` None: the programme's first.
"""

from __future__ import annotations

from typing import TypeAlias

from aggregates.programme import Policies
from aggregates.value import Value


class ActivateLot(Value):
    """What a lot waited for has happened: of a wallet whose points become spendable on action."""

    member: str
    lot: str
    at: int
    policies: Policies = Policies()


class RedeemPoints(Value):
    """``redemption`` names this use of points; ``total``: what the whole order costs, minor units, for a cap by its share."""

    member: str
    redemption: str
    points: int
    at: int
    order: str | None = None
    policies: Policies = Policies()
    wallet: str | None = None
    total: int | None = None
    by: str | None = None


class ReturnPoints(Value):
    """Give back ``points`` of a redemption (None: all that is left of it). ``reversal`` names this return."""

    member: str
    redemption: str
    reversal: str
    at: int
    points: int | None = None
    policies: Policies = Policies()


class HoldPoints(Value):
    member: str
    hold: str
    points: int
    at: int
    order: str | None = None
    policies: Policies = Policies()
    wallet: str | None = None
    total: int | None = None
    by: str | None = None


class CaptureHold(Value):
    """The order is settled: the held points are spent."""

    member: str
    hold: str
    at: int
    policies: Policies = Policies()


class ReleaseHold(Value):
    """``by_shop``: it was the shop that gave up the order, so that no point is lost by the wait."""

    member: str
    hold: str
    at: int
    by_shop: bool = False
    policies: Policies = Policies()


class ClaimReward(Value):
    """A reward for its price in points. ``claim`` names this one: to return it, give back the redemption of that name."""

    member: str
    claim: str
    reward: str
    at: int
    policies: Policies = Policies()
    by: str | None = None


Use: TypeAlias = ActivateLot | RedeemPoints | ReturnPoints | HoldPoints | CaptureHold | ReleaseHold | ClaimReward
