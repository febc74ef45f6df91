"""The events of the ledger: points granted, activated, held, spent, returned, clawed back, lapsed, adjusted and shared."""

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
    """A line of an order that earned: ``net`` minor units at ``rate`` points per major unit.

    ``net`` is ``paid`` without its share of the tax. ``number`` counts the order's lines from 1.
    """

    number: int
    product: str
    paid: int
    net: int
    rate: Rate


class PointsGranted(Value, kw_only=True):
    """What an order or an action earned by one ``rule`` under version ``terms`` of the policy.

    The points of an order are floor(``net`` × ``multiplier``) in major units, or with ``lines`` the floor of the sum of
    their net × rate. Each of ``bonuses``, a pair of the net that it asks for and points, is added if it is reached. The
    result is 0 below ``minimum`` and at most ``cap``. A refund is judged by the same, whatever the policy says by then.

    ``net`` is what the order counts for, and ``qualifying`` the metric of the window with this order. ``period`` is what a
    limit counts in, as the day on which it began. ``ahead`` is the way to the next tier; it is set once an order, and not by
    a grant that raises the tier.
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


class LotActivated(Value, kw_only=True):
    """The points of a lot are spendable from ``active_from`` until ``expires_at``.

    This is decided at delivery, when the return window is known, or when the action happens that the lot waits for.
    """

    member: str
    lot: str
    active_from: int
    at: int
    expires_at: int | None = None
    wallet: str = DEFAULT_WALLET


class PointsClawedBack(Value, kw_only=True):
    """``points`` that an order no longer earns: those of ``allocations``, and ``debt_added``, ``lapsed`` and ``written_off``.

    Later points pay a debt before any of them is spendable. ``lapsed`` points had expired unused. ``kept`` is what is left
    of the money of each line that earned, if the grant has lines. ``ahead`` is as in a grant.
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


class PointsHeld(Value, kw_only=True):
    """Points are set apart for an order until it is settled, or until the instant ``until``. Held points do not lapse.

    ``money`` is what they are worth to that order, in minor units, under version ``terms`` of the policy.
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


class HoldCaptured(Value, kw_only=True):
    """The held points are spent. A redemption with the name of the hold comes with this event."""

    member: str
    hold: str
    wallet: str
    allocations: Allocations
    at: int


class HoldReleased(Value, kw_only=True):
    """Held points go back to their lots (``restored``); points of lots that are over by then have ``lapsed``.

    If the shop gave up the order, such points live on for some days, ``reissued``. ``reason`` is ``expired``, ``released`` or
    ``shop``.
    """

    member: str
    hold: str
    wallet: str
    restored: Allocations
    lapsed: Allocations
    reissued: tuple[IssuedLot, ...]
    reason: str
    at: int


class PointsRedeemed(Value, kw_only=True):
    """Points are spent. ``money`` is what they were worth, in minor units, under version ``terms`` of the policy."""

    member: str
    redemption: str
    order: str | None
    points: int
    allocations: Allocations
    at: int
    wallet: str = DEFAULT_WALLET
    money: int = 0
    terms: int = 1


class PointsReturned(Value, kw_only=True):
    """Spent points come back to the lots they were taken from, to the lot with the latest expiry first.

    Points of a lot that is over by now are ``reissued`` for a short time.
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


class RewardClaimed(Value, kw_only=True):
    """``price`` points bought ``item``: the product, or the campaign whose coupon is sent. A redemption with the name of the
    claim comes with this event. ``stock`` is how many of the reward there are in all, None for no limit.
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


class RewardReturned(Value, kw_only=True):
    """All the points of a claim have come back, so its reward is available to others again. ``stock`` is as of the claim."""

    member: str
    claim: str
    reward: str
    stock: int | None
    at: int


UseEvent: TypeAlias = (
    RewardClaimed | RewardReturned | PointsHeld | HoldCaptured | HoldReleased | PointsRedeemed | PointsReturned
)


class DebtSettled(Value, kw_only=True):
    """Points of a lot that can be spent pay a debt."""

    member: str
    lot: str
    points: int
    at: int
    wallet: str = DEFAULT_WALLET


class LotExpired(Value, kw_only=True):
    """The points left in a lot have lapsed ``at`` the end of its time, whenever this was recorded.

    Those that were pending lapse when the membership is closed.
    """

    member: str
    lot: str
    points: int
    at: int
    wallet: str = DEFAULT_WALLET


class PointsAdjusted(Value, kw_only=True):
    """Points are adjusted by hand: positive ``points`` make a ``lot`` that is spendable at once, negative ones are taken from
    ``allocations``.
    """

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


class PointsReinstated(Value, kw_only=True):
    """Lapsed points of ``source`` are given back for some days, as a lot of their own."""

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


class PointsTransferred(Value, kw_only=True):
    """Points go ``out`` to another member, or come ``in`` from one: two events in one append. Lots keep their expiry.

    ``lots`` are as the receiver holds them. ``day`` is the local day that the sender's daily cap counts.
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


class PoolJoined(Value, kw_only=True):
    """``joiner`` joined the pool ``member``. The first to join is its ``owner``."""

    member: str
    joiner: str
    owner: str
    at: int


class PoolEntered(Value):
    """The joiner's own ledger records the pool that they entered."""

    member: str
    pool: str
    at: int


class PoolLeft(Value):
    """``leaver`` left the pool ``member``; the points that they sent to it stay there."""

    member: str
    leaver: str
    at: int


class PoolExited(Value):
    """The leaver's own ledger records the pool that they left."""

    member: str
    pool: str
    at: int


class PoolUsed(Value, kw_only=True):
    """``by``, a member of the pool ``member``, made the redemption, hold or claim named ``use``."""

    member: str
    by: str
    use: str
    at: int


PoolEvent: TypeAlias = PoolJoined | PoolEntered | PoolLeft | PoolExited | PoolUsed
