"""Points that come by earning, and those that a refund takes back."""

from __future__ import annotations

from typing import Literal, TypeAlias

from aggregates.membership.ledger.lots import DEFAULT_WALLET, Allocations
from aggregates.membership.tiers.state import TierProgress
from aggregates.programme import Rate
from aggregates.value import Value


class IssuedLot(Value):
    """A new lot in place of points of ``source``: spendable at once, until ``expires_at``."""

    lot: str
    source: str
    points: int
    expires_at: int | None


class EarningLine(Value):
    """A line of an order that earned: ``net`` minor units (of ``paid``, without its share of the tax) at ``rate`` points a
    major unit. ``number`` counts the order's lines from 1.
    """

    number: int
    product: str
    paid: int
    net: int
    rate: Rate


class PointsGranted(Value):
    """What an order, or something else that a member did, earned by one ``rule`` under version ``terms`` of the policy.

    An order's points = floor(``net`` × ``multiplier``) in major units; where ``lines`` are told, floor of the sum over them of
    their net × rate. Then each of ``bonuses``, (net that it asks for, points), that is reached; nothing below ``minimum``; at
    most ``cap``. A refund is judged by the same, whatever the policy says by then.
    ``net``: what the order counts for. ``qualifying``: the spend of the rolling window, this order included.
    ``period``: what a limit counts in, as the day on which it began. ``ahead``: the way to the next tier, told once
    an order, and not by a grant that raises one.
    """

    member: str
    lot: str
    order: str | None
    points: int
    net: int
    tier: str
    multiplier: Rate
    qualifying: int
    terms: int
    at: int
    wallet: str = DEFAULT_WALLET
    rule: str = "purchase"
    lines: tuple[EarningLine, ...] = ()
    bonuses: tuple[tuple[int, int], ...] = ()
    minimum: int = 0
    cap: int | None = None
    period: str | None = None
    ahead: TierProgress | None = None

    @property
    def rule_is_plain(self) -> bool:
        """Whether the order's net and the multiplier are all there is to it."""
        return not self.lines and not self.bonuses and not self.minimum and self.cap is None


class LotActivated(Value):
    """From ``active_from`` on, until ``expires_at``, the lot's points are spendable.

    Decided at delivery, when the return window is known, or when what activates it happens.
    """

    member: str
    lot: str
    active_from: int
    at: int
    expires_at: int | None = None
    wallet: str = DEFAULT_WALLET


class PointsClawedBack(Value):
    """``points`` that an order no longer earns = those ``allocations`` take + ``debt_added``, which later points settle before
    any is spendable + ``lapsed``, which had expired unused + ``written_off``.

    ``kept``: what is left of the money of each line that earned, where the grant told lines. ``ahead``: as of a grant.
    """

    member: str
    lot: str
    reversal: str
    points: int
    allocations: Allocations
    debt_added: int
    net: int
    qualifying: int
    at: int
    lapsed: int = 0
    written_off: int = 0
    kept: tuple[int, ...] = ()
    order: str | None = None
    wallet: str = DEFAULT_WALLET
    ahead: TierProgress | None = None


GrantEvent: TypeAlias = PointsGranted | LotActivated | PointsClawedBack


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


UseEvent: TypeAlias = (
    RewardClaimed | RewardReturned | PointsHeld | HoldCaptured | HoldReleased | PointsRedeemed | PointsReturned
)


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


MoveEvent: TypeAlias = DebtSettled | LotExpired | PointsAdjusted | PointsReinstated | PointsTransferred


class PoolJoined(Value):
    """``member`` is the pool. Who joined first is its ``owner``."""

    member: str
    joiner: str
    owner: str
    at: int


class PoolEntered(Value):
    """The same in the ledger of who joined."""

    member: str
    pool: str
    at: int


class PoolLeft(Value):
    """``member`` is the pool; what was sent to it stays there."""

    member: str
    leaver: str
    at: int


class PoolExited(Value):
    """The same in the ledger of who left."""

    member: str
    pool: str
    at: int


class PoolUsed(Value):
    """``member`` is the pool; ``use``: the redemption, hold or claim that one of its members, ``by``, asked for."""

    member: str
    by: str
    use: str
    at: int


PoolEvent: TypeAlias = PoolJoined | PoolEntered | PoolLeft | PoolExited | PoolUsed
