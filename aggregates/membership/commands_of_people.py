"""What is told of members: adjustments, transfers, pools, what they did, what they are called."""

from __future__ import annotations

from typing import TypeAlias

from aggregates.membership.ledger.moves import PointsTransferred
from aggregates.programme import Policies
from aggregates.value import Value


class JoinPool(Value):
    """``member`` is the pool, which has a ledger under a name of its own; who joins it first owns it."""

    member: str
    joiner: str
    at: int
    policies: Policies = Policies()


class LeavePool(Value):
    """``member`` is the pool."""

    member: str
    leaver: str
    at: int
    policies: Policies = Policies()


class EnterPool(Value):
    """The other half of joining, or of leaving (``leaves``), which follows from its first."""

    member: str
    pool: str
    at: int
    leaves: bool = False
    policies: Policies = Policies()


class AdjustPoints(Value):
    """By hand: ``points`` above nothing are added, those below taken."""

    member: str
    adjustment: str
    points: int
    reason: str
    actor: str
    at: int
    wallet: str | None = None
    policies: Policies = Policies()


class ReinstatePoints(Value):
    """Give back what has lapsed of a lot."""

    member: str
    reinstatement: str
    lot: str
    reason: str
    actor: str
    at: int
    policies: Policies = Policies()


class TransferPoints(Value):
    member: str
    to: str
    transfer: str
    points: int
    at: int
    wallet: str | None = None
    policies: Policies = Policies()


class ReceivePoints(Value):
    """The other half of a transfer, which follows from its first."""

    member: str
    sent: PointsTransferred
    at: int
    policies: Policies = Policies()


class RecordAction(Value):
    """The member did something that rules may reward: sign_up, review, share, birthday, referral, check_in, or the shop's own.

    ``occurrence`` names this one of its kind, as a referral by who was referred.
    """

    member: str
    action: str
    occurrence: str
    at: int
    policies: Policies = Policies()


class TagMember(Value):
    """``tags``: all that the member bears from now on."""

    member: str
    tags: tuple[str, ...]
    actor: str
    at: int
    policies: Policies = Policies()


By: TypeAlias = JoinPool | LeavePool | EnterPool | AdjustPoints | ReinstatePoints | TransferPoints | ReceivePoints
Done: TypeAlias = RecordAction | TagMember
