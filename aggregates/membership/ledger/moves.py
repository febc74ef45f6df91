"""Points that lapse, pay a debt, are adjusted by hand, come back, or go to another member."""

from __future__ import annotations

from typing import Literal, TypeAlias

from aggregates.membership.ledger.grants import Allocations
from aggregates.membership.ledger.lots import DEFAULT_WALLET
from aggregates.membership.ledger.uses import IssuedLot
from aggregates.value import Value


class DebtSettled(Value):
    """Points of a lot that can be spent go against what is owed."""

    member: str
    lot: str
    points: int
    at: int
    wallet: str = DEFAULT_WALLET


class LotExpired(Value):
    """What was left of a lot has lapsed ``at`` the end of its time, whenever it was recorded."""

    member: str
    lot: str
    points: int
    at: int
    wallet: str = DEFAULT_WALLET


class PointsAdjusted(Value):
    """By hand: ``points`` above nothing make a ``lot`` that is spendable at once, those below are taken by ``allocations``."""

    member: str
    adjustment: str
    wallet: str
    points: int
    lot: str | None
    expires_at: int | None
    allocations: Allocations
    reason: str
    actor: str
    at: int


class PointsReinstated(Value):
    """Expired points of ``source`` are given back, for some days, as a lot of their own."""

    member: str
    reinstatement: str
    wallet: str
    lot: str
    source: str
    points: int
    expires_at: int | None
    reason: str
    actor: str
    at: int


class PointsTransferred(Value):
    """Points go ``out`` to another member, or come ``in``: two events in one append, each complete. Lots keep their expiry.

    ``lots``: as they stand with the receiver. ``day``: the local day of the sender's daily cap.
    """

    member: str
    other: str
    direction: Literal["out", "in"]
    transfer: str
    wallet: str
    points: int
    lots: tuple[IssuedLot, ...]
    day: str
    at: int


Event: TypeAlias = DebtSettled | LotExpired | PointsAdjusted | PointsReinstated | PointsTransferred
