"""The commands of a membership.

Each thing that a member or the shop asks for has an id of its own, such as ``redemption`` or ``transfer``: asking again under
the same id changes nothing. ``wallet`` None means the programme's first wallet. ``by`` names the member who asks, where
``member`` is a pool. ``at`` is UTC epoch milliseconds.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from aggregates.fields import ActorId, AtMost, Count, Id, Instant, IsInstant, MemberId, OneLine, OrderId, Reason, WalletName
from aggregates.membership.earning.formula import BoughtLine
from aggregates.membership.ledger.events import PointsTransferred
from aggregates.membership.tiers.state import OverrideKind
from aggregates.value import Value

Points: TypeAlias = Annotated[int, Count("points", least=1)]
RedemptionId: TypeAlias = Annotated[str, Id("redemption")]
HoldId: TypeAlias = Annotated[str, Id("hold")]
LotId: TypeAlias = Annotated[str, Id("lot")]
Total: TypeAlias = Annotated[int, Count("total")]

# What follows from orders


class GrantPoints(Value):
    """Grant what a paid order earns. ``lines`` are given where a rule of the programme asks for them."""

    member: MemberId
    order: OrderId
    net: int
    at: Instant
    lines: tuple[BoughtLine, ...] = ()


class ActivatePoints(Value):
    """Start the return window of an order that was delivered ``at``; its points become spendable when the window closes."""

    member: MemberId
    order: OrderId
    at: Instant


class ClawBackPoints(Value):
    """Take back what an order no longer earns after a refund or cancellation.

    ``net`` is what the order still counts for and ``given_back`` the money that goes back now by the number of its line, both
    in minor units; None where that is not known. ``complete`` says that nothing of the order is left.
    """

    member: MemberId
    order: OrderId
    reversal: Annotated[str, Id("reversal")]
    net: int
    at: Instant
    given_back: tuple[tuple[int, int], ...] | None = None
    complete: bool = False


OrderCommand: TypeAlias = GrantPoints | ActivatePoints | ClawBackPoints

# Use of points


class ActivateLot(Value):
    """Make a lot spendable whose wallet waits for an action, because that action has happened."""

    member: MemberId
    lot: LotId
    at: Instant


class RedeemPoints(Value):
    """Spend points on an order. ``total`` is the price of the whole order in minor units, for a cap by share."""

    member: MemberId
    redemption: RedemptionId
    points: Points
    at: Instant
    order: OrderId | None = None
    wallet: WalletName | None = None
    total: Total | None = None
    by: Annotated[str, Id("by")] | None = None


class ReturnPoints(Value):
    """Give back ``points`` of a redemption; None gives back all that is left of it."""

    member: MemberId
    redemption: RedemptionId
    reversal: Annotated[str, Id("reversal")]
    at: Instant
    points: Points | None = None


class HoldPoints(Value):
    """Set points apart for an order until it is settled. Fields as in :class:`RedeemPoints`."""

    member: MemberId
    hold: HoldId
    points: Points
    at: Instant
    order: OrderId | None = None
    wallet: WalletName | None = None
    total: Total | None = None
    by: Annotated[str, Id("by")] | None = None


class CaptureHold(Value):
    """Spend the held points: the order is settled."""

    member: MemberId
    hold: HoldId
    at: Instant


class ReleaseHold(Value):
    """Give the held points back. ``by_shop`` says that the shop gave up the order, so that no point lapses by the wait."""

    member: MemberId
    hold: HoldId
    at: Instant
    by_shop: bool = False


class ClaimReward(Value):
    """Buy a reward for its price in points. To return it, give back the redemption that has the name of the ``claim``."""

    member: MemberId
    claim: Annotated[str, Id("claim")]
    reward: Annotated[str, Id("reward")]
    at: Instant
    by: Annotated[str, Id("by")] | None = None


PointsUse: TypeAlias = ActivateLot | RedeemPoints | ReturnPoints | HoldPoints | CaptureHold | ReleaseHold | ClaimReward

# Adjustments, transfers and pools


class AdjustPoints(Value):
    """Add points by hand, or take them where ``points`` is negative."""

    member: MemberId
    adjustment: Annotated[str, Id("adjustment")]
    points: Annotated[int, Count("points", least=1, signed=True)]
    reason: Annotated[str, Reason("reason")]
    actor: Annotated[str, Id("actor"), Reason("actor")]
    at: Instant
    wallet: WalletName | None = None


class ReinstatePoints(Value):
    """Give back the points of a lot that have lapsed."""

    member: MemberId
    reinstatement: Annotated[str, Id("reinstatement")]
    lot: LotId
    reason: Annotated[str, Reason("reason")]
    actor: Annotated[str, Id("actor"), Reason("actor")]
    at: Instant


class TransferPoints(Value):
    """Send points to the member ``to``."""

    member: MemberId
    to: MemberId
    transfer: Annotated[str, Id("transfer")]
    points: Points
    at: Instant
    wallet: WalletName | None = None


class ReceivePoints(Value):
    """Receive the points of a transfer that was ``sent``; follows from :class:`TransferPoints`."""

    member: MemberId
    sent: PointsTransferred
    at: Instant


class JoinPool(Value):
    """Let ``joiner`` join the pool ``member``, which has a ledger of its own. The first to join owns the pool."""

    member: MemberId
    joiner: MemberId
    at: Instant


class LeavePool(Value):
    """Let ``leaver`` leave the pool ``member``."""

    member: MemberId
    leaver: MemberId
    at: Instant


class EnterPool(Value):
    """Record in the member's own ledger that they joined a pool, or with ``leaves`` that they left it."""

    member: MemberId
    pool: Annotated[str, Id("pool")]
    at: Instant
    leaves: bool = False


PointsMove: TypeAlias = JoinPool | LeavePool | EnterPool | AdjustPoints | ReinstatePoints | TransferPoints | ReceivePoints
MemberRequest: TypeAlias = PointsUse | PointsMove

# Actions and tags


class RecordAction(Value):
    """Record an action that rules may reward: sign_up, review, share, birthday, referral, check_in, or one of the shop's own.

    ``occurrence`` tells one action from others of its kind, such as who was referred.
    """

    member: MemberId
    action: Annotated[str, Id("action")]
    occurrence: Annotated[str, Id("occurrence")]
    at: Instant


class TagMember(Value):
    """Replace the member's tags by ``tags``."""

    member: MemberId
    tags: Annotated[tuple[Annotated[str, Id("tag")], ...], AtMost("tags", 100)]
    actor: ActorId
    at: Instant


ActionCommand: TypeAlias = RecordAction | TagMember

# Tiers


class OverrideTier(Value):
    """Set a tier by hand until ``until``, or until the override is ended where that is None."""

    member: MemberId
    override: Annotated[str, Id("override")]
    kind: OverrideKind
    tier: str
    reason: Annotated[str, OneLine("reason")]
    actor: ActorId
    at: Instant
    until: Annotated[int, IsInstant("until")] | None = None


class EndTierOverride(Value):
    """End an override before its time."""

    member: MemberId
    override: Annotated[str, Id("override")]
    reason: Annotated[str, OneLine("reason")]
    actor: ActorId
    at: Instant


TierCommand: TypeAlias = OverrideTier | EndTierOverride


class RecordDue(Value):
    """Record what time has brought by ``at``, and nothing else."""

    member: MemberId
    at: Instant


class LapsePending(Value):
    """Follows from a closed membership: its pending points end as the policy says."""

    member: MemberId
    at: Instant


Command: TypeAlias = OrderCommand | MemberRequest | ActionCommand | TierCommand | RecordDue | LapsePending
