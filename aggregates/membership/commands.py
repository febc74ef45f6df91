"""What may be asked of a membership. ``policies`` are filled in by the shell, so that a decision needs nothing but its stream.

Whatever a member or the shop's people ask for has a name; the same name again changes nothing. ``wallet`` None: the
programme's first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from aggregates.membership.earning.spending import BoughtLine
from aggregates.membership.points.moves import PointsTransferred
from aggregates.membership.standing import Kind
from aggregates.programme import Policies


@dataclass(frozen=True)
class GrantPoints:
    """An order was paid. ``lines``: told where a rule asks for them."""

    member: str
    order: str
    net: int
    policies: Policies
    at: int
    lines: tuple[BoughtLine, ...] = ()


@dataclass(frozen=True)
class ActivatePoints:
    """The order was delivered ``at``: its return window begins."""

    member: str
    order: str
    policies: Policies
    at: int


@dataclass(frozen=True)
class ClawBackPoints:
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


@dataclass(frozen=True)
class ActivateLot:
    """What a lot waited for has happened: of a wallet whose points become spendable on action."""

    member: str
    lot: str
    at: int
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class RedeemPoints:
    """``redemption`` names this use of points; ``total``: what the order costs, in minor units, for a cap by its share."""

    member: str
    redemption: str
    points: int
    at: int
    order: str | None = None
    policies: Policies = field(default_factory=Policies)
    wallet: str | None = None
    total: int | None = None


@dataclass(frozen=True)
class ReturnPoints:
    """Give back ``points`` of a redemption (None: all that is left of it). ``reversal`` names this return."""

    member: str
    redemption: str
    reversal: str
    at: int
    points: int | None = None
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class HoldPoints:
    member: str
    hold: str
    points: int
    at: int
    order: str | None = None
    policies: Policies = field(default_factory=Policies)
    wallet: str | None = None
    total: int | None = None


@dataclass(frozen=True)
class CaptureHold:
    """The order is settled: the held points are spent."""

    member: str
    hold: str
    at: int
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class ReleaseHold:
    """``by_shop``: it was the shop that gave up the order, so that no point is lost by the wait."""

    member: str
    hold: str
    at: int
    by_shop: bool = False
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class ClaimReward:
    """A reward for its price in points. ``claim`` names this one: to return it, give back the redemption of that name."""

    member: str
    claim: str
    reward: str
    at: int
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class AdjustPoints:
    """By hand: ``points`` above nothing are added, those below taken."""

    member: str
    adjustment: str
    points: int
    reason: str
    actor: str
    at: int
    wallet: str | None = None
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class ReinstatePoints:
    """Give back what has lapsed of a lot."""

    member: str
    reinstatement: str
    lot: str
    reason: str
    actor: str
    at: int
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class TransferPoints:
    member: str
    to: str
    transfer: str
    points: int
    at: int
    wallet: str | None = None
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class ReceivePoints:
    """The other half of a transfer, which follows from its first."""

    member: str
    sent: PointsTransferred
    at: int
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class RecordAction:
    """The member did something that rules may reward: sign_up, review, share, birthday, referral, check_in, or the shop's own.

    ``occurrence`` names this one of its kind, as a referral by who was referred.
    """

    member: str
    action: str
    occurrence: str
    at: int
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class TagMember:
    """``tags``: all that the member bears from now on."""

    member: str
    tags: tuple[str, ...]
    actor: str
    at: int
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class OverrideTier:
    """Set a tier by hand, until ``until`` (None: until it is ended); ``override`` names it: the same again changes nothing."""

    member: str
    override: str
    kind: Kind
    tier: str
    reason: str
    actor: str
    at: int
    until: int | None = None
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class EndTierOverride:
    member: str
    override: str
    reason: str
    actor: str
    at: int
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class RecordDue:
    """Record what time has brought by ``at``, and nothing more."""

    member: str
    at: int
    policies: Policies = field(default_factory=Policies)


OfOrder: TypeAlias = GrantPoints | ActivatePoints | ClawBackPoints
Asked: TypeAlias = (
    ActivateLot
    | RedeemPoints
    | ReturnPoints
    | HoldPoints
    | CaptureHold
    | ReleaseHold
    | ClaimReward
    | AdjustPoints
    | ReinstatePoints
    | TransferPoints
    | ReceivePoints
)
OfTier: TypeAlias = OverrideTier | EndTierOverride
Done: TypeAlias = RecordAction | TagMember
Command: TypeAlias = OfOrder | Asked | Done | OfTier | RecordDue
