"""Old shapes of events, as this version reads them: one for each golden file of an older name."""

from __future__ import annotations

from aggregates.cart_events import CartContent, CartMerged, CartReceived
from aggregates.coupon import CouponRedeemed
from aggregates.gift_card import GiftCardBlocked
from aggregates.guest_coupon import GuestCouponRedeemed
from aggregates.membership.events import (
    DebtSettled,
    LotActivated,
    PointsRedeemed,
    TierExtended,
    TierLowered,
    TierRaised,
)
from aggregates.order.events import (
    OrderCancelled,
    OrderPlaced,
    OrderRefunded,
    OrderTendered,
    TenderBack,
)
from aggregates.order.fulfilment import OrderDelivered, OrderShipped
from aggregates.pricing.refund import RefundedLine
from aggregates.product import ProductListed
from aggregates.value import replace
from tests.samples import CLAWED_BACK, CLAWED_BACK_BY_RULE, GRANTED, GRANTED_BY_RULE
from tests.selling_samples import AT, BACK, CONTENT, DAY, LINES

OLD_REFUND = OrderRefunded(
    order="o-1",
    refund="r-1",
    member="m-1",
    session=None,
    currency="USD",
    parts=((1, 1, 449),),
    lines=BACK,
    net_retained=364,
    complete=False,
    at=AT + 3 * DAY,
)

TOLD_REFUND = replace(
    OLD_REFUND,
    kind="goods",
    reason="too large",
    tax=75,
    fee=50,
    points=20,
    tenders=(TenderBack("t-1", 449),),
    shares=(RefundedLine("tea-01", 1, 449, 75, 20, 50, 8),),
)

OLD_SHAPES: dict[str, object] = {
    "OrderShipped": OrderShipped(order="o-1", member="m-1", session=None, at=AT + DAY),
    "OrderDelivered": OrderDelivered(order="o-1", member="m-1", session=None, at=AT + 2 * DAY),
    "OrderTendered": OrderTendered(
        order="o-1", member="m-1", session=None, tender="t-1", kind="card", amount=400, left=449, at=AT
    ),
    "TierRaised": TierRaised(
        member="m-1",
        tier="silver",
        previous="member",
        qualifying=100_000,
        valid_until=AT + 365 * DAY,
        revocable_until=AT + 14 * DAY,
        provisional_until=None,
        shown=None,
        terms=1,
        at=AT,
    ),
    "TierExtended": TierExtended(
        member="m-1",
        tier="silver",
        qualifying=90_000,
        valid_until=AT + 730 * DAY,
        revocable_until=None,
        shown=None,
        terms=1,
        at=AT + 365 * DAY,
    ),
    "TierLowered": TierLowered(
        member="m-1",
        tier="member",
        previous="silver",
        qualifying=1_000,
        valid_until=None,
        reason="review",
        shown=None,
        terms=1,
        at=AT + 730 * DAY,
    ),
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
    "OrderPlaced": OrderPlaced(order="o-1", member="m-1", session=None, cart="c-1", currency="USD", lines=LINES, tax=70, at=AT),
    "OrderCancelled": OrderCancelled(
        order="o-2", member=None, session=None, currency="USD", reason="out of stock", lines=LINES[:1], at=AT
    ),
    "OrderCancelled.2": OrderCancelled(
        order="o-2", member="m-1", session=None, currency="USD", reason="out of stock", lines=LINES[:1], at=AT
    ),
    "OrderTendered.2": OrderTendered(
        order="o-1", member="m-1", session=None, tender="t-1", kind="gift_card", amount=400, left=449, at=AT, gift_card="g-1"
    ),
    "CartMerged": CartMerged(cart="c-2", member=None, session="s-1", into="c-1", of="m-1", items=CONTENT, saved=(), at=AT),
    "CartReceived": CartReceived(
        cart="c-1",
        member="m-1",
        session=None,
        guest_cart="c-2",
        items=CONTENT,
        saved=(CartContent("cup-01", 1),),
        strategy="sum",
        at=AT,
    ),
    "GiftCardBlocked": GiftCardBlocked(card="g-1", member=None, actor="ada", reason="stolen", at=AT),
    "OrderRefunded": OLD_REFUND,
    "OrderRefunded.2": OLD_REFUND,
    "OrderRefunded.3": TOLD_REFUND,
    "OrderRefunded.4": TOLD_REFUND,
    "OrderRefunded.5": TOLD_REFUND,
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
    "CouponRedeemed.2": CouponRedeemed(
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
    "GuestCouponRedeemed": GuestCouponRedeemed(
        session="s-1",
        campaign="spring",
        coupon="51800009050",
        use="order/o-2",
        order="o-2",
        recorded=True,
        flags=("over_limit",),
        at=AT + 2 * DAY,
        amount=None,
    ),
    "PointsGranted": GRANTED,
    "PointsGranted.2": GRANTED_BY_RULE,
    "LotActivated": LotActivated(member="m-1", lot="o-1", active_from=AT + 16 * DAY, at=AT + 2 * DAY),
    "PointsRedeemed": PointsRedeemed(
        member="m-1", redemption="p-1", order="o-3", points=5, allocations=(("o-1", 5),), at=AT + 20 * DAY
    ),
    "PointsClawedBack": replace(CLAWED_BACK, order="o-1"),
    "PointsClawedBack.2": CLAWED_BACK_BY_RULE,
    "DebtSettled": DebtSettled(member="m-1", lot="o-4", points=1, at=AT + 22 * DAY),
}
"""What the golden files of superseded names say, in today's shape."""
