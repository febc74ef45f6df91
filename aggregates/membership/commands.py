"""What may be asked of a membership. ``policies`` are filled in by the shell, so that a decision needs nothing but its stream.

Whatever a member or the shop's people ask for has a name; the same name again changes nothing. ``wallet`` None: the
programme's first. ``by``: who of a pool's members asks, where ``member`` is a pool.
"""

from __future__ import annotations

from typing import TypeAlias

from aggregates.membership.earning.formula import BoughtLine
from aggregates.membership.ledger.events import PointsTransferred
from aggregates.membership.tiers.state import OverrideKind
from aggregates.programme import Policies
from aggregates.value import Value


class GrantPoints(Value):
    """An order was paid. ``lines``: told where a rule asks for them."""

    member: str
    order: str
    net: int
    policies: Policies
    at: int
    lines: tuple[BoughtLine, ...] = ()


class ActivatePoints(Value):
    """The order was delivered ``at``: its return window begins."""

    member: str
    order: str
    policies: Policies
    at: int


class ClawBackPoints(Value):
    """A refund or cancellation: the order now counts for ``net``, ``given_back`` is the money of each line that goes back now.

    ``complete``: nothing is left of it.
    """

    member: str
    order: str
    reversal: str
    net: int
    policies: Policies
    at: int
    given_back: tuple[int, ...] = ()
    complete: bool = False


OrderCommand: TypeAlias = GrantPoints | ActivatePoints | ClawBackPoints


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


PointsUse: TypeAlias = ActivateLot | RedeemPoints | ReturnPoints | HoldPoints | CaptureHold | ReleaseHold | ClaimReward


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


PointsMove: TypeAlias = JoinPool | LeavePool | EnterPool | AdjustPoints | ReinstatePoints | TransferPoints | ReceivePoints


MemberRequest: TypeAlias = PointsUse | PointsMove


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


ActionCommand: TypeAlias = RecordAction | TagMember


class OverrideTier(Value):
    """Set a tier by hand, until ``until`` (None: until it is ended); ``override`` names it: the same again changes nothing."""

    member: str
    override: str
    kind: OverrideKind
    tier: str
    reason: str
    actor: str
    at: int
    until: int | None = None
    policies: Policies = Policies()


class EndTierOverride(Value):
    member: str
    override: str
    reason: str
    actor: str
    at: int
    policies: Policies = Policies()


TierCommand: TypeAlias = OverrideTier | EndTierOverride


class RecordDue(Value):
    """Record what time has brought by ``at``, and nothing more."""

    member: str
    at: int
    policies: Policies = Policies()


Command: TypeAlias = OrderCommand | MemberRequest | ActionCommand | TierCommand | RecordDue
