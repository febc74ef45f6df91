"""One event of each type, in its present shape: what its golden file must be read as, for ever."""

from __future__ import annotations

from aggregates.behaviour import Clicked, Dismissed, Favourited, Impressed, Searched, Shared, Unfavourited, Viewed
from aggregates.campaign import CampaignLaunched, Offer
from aggregates.cart.events import (
    CartAbandoned,
    CartCheckedOut,
    CartItemAdded,
    CartItemQuantityChanged,
    CartItemRemoved,
    CartOpened,
)
from aggregates.coupon import CouponRedeemed, CouponSent
from aggregates.member import MemberClosed, MemberErased, MemberProfileChanged, MemberRegistered
from aggregates.membership.events import (
    ActionRecorded,
    DebtSettled,
    HoldCaptured,
    HoldReleased,
    LotActivated,
    LotExpired,
    MemberTagged,
    MissionAdvanced,
    PointsAdjusted,
    PointsClawedBack,
    PointsGranted,
    PointsHeld,
    PointsRedeemed,
    PointsReinstated,
    PointsReturned,
    PointsTransferred,
    PoolEntered,
    PoolExited,
    PoolJoined,
    PoolLeft,
    PoolUsed,
    RewardClaimed,
    RewardReturned,
    StreakExtended,
    TierExtended,
    TierGraceStarted,
    TierLowered,
    TierOverridden,
    TierOverrideEnded,
    TierRaised,
)
from aggregates.membership.ledger.grants import EarningLine
from aggregates.membership.ledger.uses import IssuedLot
from aggregates.membership.tiers.progress import Ahead, Shown
from aggregates.order.events import (
    OrderCancelled,
    OrderDelivered,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderShipped,
)
from aggregates.product import ProductListed, ProductRepriced, ProductRetired
from aggregates.programme import Benefits
from aggregates.programme.policy import PolicyPublished
from aggregates.review import ProductReviewed
from aggregates.session import MemberRecognised, SessionJoined
from aggregates.value import replace

AT = 1_483_300_800_000
DAY = 86_400_000
LINES = (
    OrderLine("tea-01", 2, gross=1198, total=998, paid=898, department="GROCERY", category="TEA, LOOSE"),
    OrderLine("adjustment", 0, gross=0, total=-50, paid=-50),
)
BACK = (OrderLine("tea-01", 1, 599, 499, 449),)
NAME = "Zoë O’Brien, “the regular”"

SHOWN = Shown("silver", Benefits(free_shipping=True, perks=("tea",)), Ahead("spend", "gold", 200_000, 10_000, AT + 400 * DAY))
POLICY = {"return_days": 30, "tiers": [{"name": "gold", "threshold": 900, "keep": 700, "multiplier": "1.5"}], "rewards": []}
GRANTED = PointsGranted("m-1", "o-1", "o-1", 9, 778, "silver", (5, 4), 123_456, 1, AT)
CLAWED_BACK = PointsClawedBack("m-1", "o-1", "r-1", 5, (("o-1", 4),), 1, 364, 123_042, AT + 21 * DAY)
EARNED = EarningLine(1, "tea-01", 898, 823, (5, 2))
GRANTED_BY_RULE = replace(GRANTED, wallet="miles", rule="teas", lines=(EARNED,), bonuses=((500, 20),), minimum=300, cap=99)
CLAWED_BACK_BY_RULE = replace(CLAWED_BACK, lapsed=1, written_off=1, kept=(449,), order="o-1", wallet="miles")
REISSUED = IssuedLot("o-1+r-2", "o-1", 3, AT + 52 * DAY)

SAMPLES: tuple[object, ...] = (
    MemberRegistered(
        member="m-1",
        name=NAME,
        email="zoe@example.org",
        birthday="1990-12-31",
        profile={"age": "25-34", "kids": '"2"'},
        at=AT,
    ),
    MemberProfileChanged(member="m-1", name=NAME, email=None, birthday=None, profile={"age": "35-44"}, at=AT + DAY),
    MemberClosed("m-1", "moved away", AT + 2 * DAY),
    MemberErased("m-1", AT + 3 * DAY),
    ProductListed(
        product="tea-01",
        name="Tea, loose",
        department="GROCERY",
        category="TEA, LOOSE",
        brand="Lü",
        price=599,
        stock=40,
        attributes={"organic": "yes"},
        at=AT,
        description="Leaves, dried.",
        image="tea.jpg",
        embedding=(0.25, -1.5),
    ),
    ProductRepriced(product="tea-01", price=499, previous=599, at=AT + DAY),
    ProductRetired("tea-01", AT + 2 * DAY),
    CartOpened("c-1", "m-1", None, AT),
    CartItemAdded("c-1", "m-1", None, "tea-01", 2, 599, AT),
    CartItemQuantityChanged("c-1", "m-1", None, "tea-01", 3, AT),
    CartItemRemoved("c-1", None, "s-1", "tea-01", AT),
    CartCheckedOut("c-1", "m-1", "s-1", (("tea-01", 2), ("milk-02", 1)), AT),
    CartAbandoned("c-2", None, "s-1", AT),
    OrderPlaced("o-1", "m-1", None, "c-1", "USD", LINES, 70, AT, ("SPRING",), 1),
    OrderPaid("o-1", "m-1", None, "USD", LINES, 778, AT),
    OrderShipped("o-1", "m-1", None, AT + DAY),
    OrderDelivered("o-1", "m-1", None, AT + 2 * DAY),
    OrderCancelled("o-2", None, None, "USD", "out of stock", LINES[:1], AT),
    OrderRefunded("o-1", "r-1", "m-1", None, "USD", (1, 0), BACK, 364, False, AT + 3 * DAY, (449, 0)),
    CampaignLaunched(
        campaign="spring",
        kind="TypeA",
        starts=AT,
        ends=AT + 30 * DAY,
        limit=100,
        offers=(Offer("51800009050", ("tea-01", "milk-02")),),
        at=AT,
    ),
    CouponSent(campaign="spring", member="m-1", kind="TypeA", starts=AT, ends=AT + 30 * DAY, at=AT),
    CouponRedeemed(
        campaign="spring",
        member="m-1",
        coupon="51800009050",
        use="u-1",
        order="o-1",
        recorded=True,
        flags=("too_late",),
        at=AT + 31 * DAY,
        amount=100,
    ),
    replace(GRANTED_BY_RULE, ahead=SHOWN.ahead),
    LotActivated("m-1", "o-1", AT + 16 * DAY, AT + 2 * DAY, AT + 365 * DAY, "miles"),
    PointsRedeemed("m-1", "p-1", "o-3", 5, (("o-1", 5),), AT + 20 * DAY, "miles", 5, 2),
    replace(CLAWED_BACK_BY_RULE, ahead=SHOWN.ahead),
    DebtSettled("m-1", "o-4", 1, AT + 22 * DAY, "miles"),
    PointsReturned("m-1", "p-1", "r-2", "points", 5, (("o-1", 2),), (REISSUED,), 5, AT + 21 * DAY),
    PointsHeld("m-1", "h-1", "points", "o-5", 7, (("o-4", 7),), AT + 23 * DAY, 7, 2, AT + 22 * DAY),
    HoldCaptured("m-1", "h-1", "points", (("o-4", 7),), AT + 22 * DAY),
    HoldReleased("m-1", "h-2", "points", (("o-4", 4),), (("o-3", 2),), (REISSUED,), "shop", AT + 24 * DAY),
    LotExpired("m-1", "o-4", 3, AT + 400 * DAY, "miles"),
    PointsAdjusted("m-1", "a-1", "points", 50, "a-1", AT + 365 * DAY, (), "a parcel was late", "kim", AT + 25 * DAY),
    PointsReinstated("m-1", "b-1", "points", "o-4+b-1", "o-4", 3, AT + 430 * DAY, "was in hospital", "kim", AT + 401 * DAY),
    PointsTransferred("m-1", "m-2", "out", "t-1", "points", 3, (REISSUED,), "2017-01-20", AT + 19 * DAY),
    RewardClaimed("m-1", "c-1", "mug", "product", "mug-01", 500, 10, "points", 2, AT),
    RewardReturned("m-1", "c-1", "mug", 10, AT + DAY),
    PoolJoined("home", "m-1", "m-2", AT),
    PoolEntered("m-1", "home", AT),
    PoolLeft("home", "m-1", AT),
    PoolExited("m-1", "home", AT),
    PoolUsed("home", "m-2", "p-1", AT),
    ActionRecorded("m-1", "review", "tea-01", "2017-01-02", AT),
    StreakExtended("m-1", "daily", 3, "2017-01-02", AT),
    MissionAdvanced("m-1", "newcomer", (1, 0), AT, 0, AT),
    MemberTagged("m-1", ("vip", "wholesale"), "kim", AT),
    TierRaised("m-1", "silver", "member", 100_000, AT + 365 * DAY, AT + 14 * DAY, AT + 14 * DAY, SHOWN, 2, AT),
    TierExtended("m-1", "silver", 90_000, AT + 730 * DAY, None, SHOWN, 2, AT + 365 * DAY),
    TierGraceStarted("m-1", "silver", 1_000, 80_000, AT + 760 * DAY, SHOWN, 2, AT + 730 * DAY),
    TierLowered("m-1", "member", "silver", 1_000, None, "review", SHOWN, 2, AT + 760 * DAY),
    TierOverridden("m-1", "ov-1", "floor", "silver", "a complaint", "ada", AT + 790 * DAY, SHOWN, 2, AT + 761 * DAY),
    TierOverrideEnded("m-1", "ov-1", "over", None, SHOWN, 2, AT + 790 * DAY),
    SessionJoined("s-1", "m-1", AT),
    MemberRecognised("m-1", "s-1", AT),
    ProductReviewed(
        product="tea-01", member="m-1", session=None, half_stars=9, text="Zoë says: good.", order="o-1", at=AT + 4 * DAY
    ),
    PolicyPublished(
        policy="shop", version=2, document=POLICY, zone="Europe/Paris", currency="EUR", effective=AT + DAY, actor="ada", at=AT
    ),
    Viewed(product="tea-01", member=None, session="s-1", at=AT),
    Clicked(product="tea-01", member="m-1", session="s-1", at=AT, slot="home", place=3),
    Favourited(product="tea-01", member="m-1", session=None, at=AT),
    Unfavourited(product="tea-01", member="m-1", session=None, at=AT),
    Dismissed(product="milk-02", member="m-1", session=None, at=AT, slot="home", place=1),
    Shared(product="tea-01", member=None, session="s-1", at=AT),
    Searched(query="Zoë’s tea", member="m-1", session="s-1", shown=("tea-01", "milk-02"), at=AT),
    Impressed(
        slot="home",
        products=("tea-01", "milk-02"),
        member="m-1",
        session=None,
        propensities=(0.5, 0.25),
        strategy="regulars",
        at=AT,
    ),
)

OLD_SHAPES: dict[str, object] = {
    "TierRaised": TierRaised("m-1", "silver", "member", 100_000, AT + 365 * DAY, AT + 14 * DAY, None, None, 1, AT),
    "TierExtended": TierExtended("m-1", "silver", 90_000, AT + 730 * DAY, None, None, 1, AT + 365 * DAY),
    "TierLowered": TierLowered("m-1", "member", "silver", 1_000, None, "review", None, 1, AT + 730 * DAY),
    "ProductListed": ProductListed(
        product="tea-01",
        name="Tea, loose",
        department="GROCERY",
        category="TEA, LOOSE",
        brand="Lü",
        price=599,
        stock=40,
        attributes={"organic": "yes"},
        at=AT,
    ),
    "OrderPlaced": OrderPlaced("o-1", "m-1", None, "c-1", "USD", LINES, 70, AT),
    "OrderRefunded": OrderRefunded("o-1", "r-1", "m-1", None, "USD", (1, 0), BACK, 364, False, AT + 3 * DAY, (449, 0)),
    "CouponRedeemed": CouponRedeemed(
        campaign="spring",
        member="m-1",
        coupon="51800009050",
        use="u-1",
        order="o-1",
        recorded=True,
        flags=("too_late",),
        at=AT + 31 * DAY,
    ),
    "PointsGranted": GRANTED,
    "PointsGranted.2": GRANTED_BY_RULE,
    "LotActivated": LotActivated("m-1", "o-1", AT + 16 * DAY, AT + 2 * DAY),
    "PointsRedeemed": PointsRedeemed("m-1", "p-1", "o-3", 5, (("o-1", 5),), AT + 20 * DAY),
    "PointsClawedBack": replace(CLAWED_BACK, order="o-1"),
    "PointsClawedBack.2": CLAWED_BACK_BY_RULE,
    "DebtSettled": DebtSettled("m-1", "o-4", 1, AT + 22 * DAY),
}
"""What the golden files of superseded names say, in today's shape."""
