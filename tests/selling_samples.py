"""Samples of the events of carts, orders and gift cards."""

from __future__ import annotations

from aggregates.cart_events import (
    CartAbandoned,
    CartCheckedOut,
    CartCodeEntered,
    CartCodeRemoved,
    CartContent,
    CartItemAdded,
    CartItemQuantityChanged,
    CartItemRemoved,
    CartItemRestored,
    CartItemSavedForLater,
    CartMerged,
    CartOpened,
    CartReceived,
    CartResumed,
)
from aggregates.gift_card import (
    GiftCardBlocked,
    GiftCardCharged,
    GiftCardCredited,
    GiftCardExpired,
    GiftCardHeld,
    GiftCardIssued,
    GiftCardReleased,
)
from aggregates.order.events import (
    MovedMoney,
    OrderCancelled,
    OrderExchanged,
    OrderLine,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentPending,
    OrderPlaced,
    OrderPriced,
    OrderRefunded,
    OrderTendered,
    TenderBack,
)
from aggregates.order.fulfilment import OrderDelivered, OrderReturned, OrderShipped
from aggregates.order.stock import StockReleased, StockReserved, StockRestored, StockTaken
from aggregates.pricing.refund import RefundedLine
from aggregates.referral import (
    ReferralBegun,
    ReferralCodeIssued,
    ReferralCodeUsed,
    ReferralPaid,
    ReferralQualified,
    ReferralTakenBack,
)
from tests.priced_samples import TRACE

AT = 1_483_300_800_000
DAY = 86_400_000
LINES = (
    OrderLine("tea-01", 2, gross=1198, total=998, paid=898, department="GROCERY", category="TEA, LOOSE"),
    OrderLine("adjustment", 0, gross=0, total=-50, paid=-50),
)
BACK = (OrderLine("tea-01", 1, 599, 499, 449),)
CONTENT = (CartContent("tea-01", 2, 599, AT), CartContent("milk-02", 1))

OF_CARTS = (
    CartOpened(cart="c-1", member="m-1", session=None, at=AT),
    CartCheckedOut(cart="c-1", member="m-1", session="s-1", items=(("tea-01", 2), ("milk-02", 1)), at=AT),
    CartAbandoned(cart="c-2", member=None, session="s-1", at=AT),
    CartResumed(cart="c-2", member=None, session="s-1", at=AT),
    CartMerged(cart="c-2", member="m-1", session=None, into="c-1", of="m-1", items=CONTENT, saved=(), at=AT, codes=("SPRING",)),
    CartReceived(
        cart="c-1",
        member="m-1",
        session=None,
        guest_cart="c-2",
        items=CONTENT,
        saved=(CartContent("cup-01", 1),),
        strategy="sum",
        at=AT,
        codes=("SPRING", "TEN"),
    ),
    CartItemAdded(cart="c-1", member="m-1", session=None, product="tea-01", quantity=2, price=599, at=AT),
    CartItemQuantityChanged(cart="c-1", member="m-1", session=None, product="tea-01", quantity=3, at=AT),
    CartItemRemoved(cart="c-1", member=None, session="s-1", product="tea-01", at=AT),
    CartItemSavedForLater(cart="c-1", member="m-1", session=None, product="tea-01", at=AT),
    CartItemRestored(cart="c-1", member="m-1", session=None, product="tea-01", at=AT),
    CartCodeEntered(cart="c-1", member="m-1", session=None, code="SPRING", at=AT),
    CartCodeRemoved(cart="c-1", member="m-1", session=None, code="SPRING", at=AT),
)

OF_ORDERS = (
    OrderPlaced(
        order="o-1",
        member="m-1",
        session=None,
        cart="c-1",
        currency="USD",
        lines=LINES,
        tax=70,
        at=AT,
        coupons=("SPRING",),
        unpriced=1,
    ),
    OrderPriced(order="o-1", member="m-1", session=None, trace=TRACE, at=AT),
    OrderTendered(
        order="o-1",
        member="m-1",
        session=None,
        tender="o-0/t-1",
        kind="gift_card",
        amount=400,
        left=449,
        at=AT,
        gift_card="g-1",
        moved_from="o-0",
    ),
    OrderPaymentPending(order="o-1", member="m-1", session=None, payment="pay-1", until=AT + DAY, at=AT),
    OrderPaymentFailed(order="o-1", member="m-1", session=None, payment="pay-1", reason="card declined", at=AT + DAY),
    OrderPaid(order="o-1", member="m-1", session=None, currency="USD", lines=LINES, net=778, at=AT),
    OrderShipped(order="o-1", member="m-1", session=None, at=AT + DAY, shipment="s-1", parts=((1, 1),), complete=False),
    OrderDelivered(order="o-1", member="m-1", session=None, at=AT + 2 * DAY, shipment="s-1", complete=False),
    OrderReturned(
        order="o-1",
        member="m-1",
        session=None,
        returned="b-1",
        parts=((1, 1),),
        restock=True,
        complete=True,
        reason="too large",
        at=AT + 3 * DAY,
    ),
    OrderCancelled(
        order="o-2",
        member="m-1",
        session=None,
        currency="USD",
        reason="out of stock",
        lines=LINES[:1],
        at=AT,
        tenders=(TenderBack("t-1", 898),),
    ),
    OrderRefunded(
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
        kind="exchange",
        reason="too large",
        tax=75,
        shipping=0,
        fee=50,
        points=20,
        tenders=(TenderBack("t-1", 49),),
        shares=(RefundedLine("tea-01", 1, 449, 75, 20, 50, 8),),
        moved=400,
    ),
    OrderExchanged(
        order="o-1",
        member="m-1",
        session=None,
        exchange="r-1",
        into="o-3",
        currency="USD",
        parts=((1, 1),),
        lines=BACK,
        tax=40,
        coupons=("SPRING",),
        priced=TRACE,
        credit=449,
        money=(MovedMoney("t-1", "gift_card", 400, "g-1"),),
        at=AT + 3 * DAY,
    ),
    StockReserved(order="o-1", member="m-1", session=None, items=(("tea-01", 2),), until=AT + DAY, at=AT),
    StockTaken(order="o-1", member="m-1", session=None, items=(("tea-01", 2),), at=AT, oversold=("tea-01",)),
    StockReleased(order="o-2", member=None, session="s-1", items=(("tea-01", 2),), reason="expired", at=AT + DAY),
    StockRestored(order="o-1", member="m-1", session=None, items=(("tea-01", 1),), at=AT + DAY),
)

OF_GIFT_CARDS = (
    GiftCardIssued(card="g-1", member=None, currency="USD", amount=10_000, expires=AT + 365 * DAY, at=AT),
    GiftCardHeld(card="g-1", member=None, order="o-1", amount=400, until=AT + DAY, at=AT),
    GiftCardCharged(card="g-1", member=None, order="o-1", tender="t-1", amount=400, left=9600, at=AT),
    GiftCardReleased(card="g-2", member="m-1", order="o-2", amount=100, lapsed=True, at=AT + DAY),
    GiftCardCredited(
        card="g-1", member=None, order="o-1", source="o-1/r-1/t-1", amount=400, left=10_000, expires=AT + 365 * DAY, at=AT
    ),
    GiftCardExpired(card="g-2", member="m-1", amount=100, at=AT + 365 * DAY),
    GiftCardBlocked(card="g-2", member="m-1", actor="ada", reason="stolen", at=AT),
)

OF_REFERRALS = (
    ReferralCodeIssued(member="m-1", referral_code="ADA-1", at=AT),
    ReferralCodeUsed(member="m-1", referral_code="ADA-1", newcomer="m-2", at=AT),
    ReferralBegun(member="m-2", referrer="m-1", referral_code="ADA-1", at=AT),
    ReferralQualified(member="m-2", referrer="m-1", order="o-1", minimum=5000, pays_at=AT + 14 * DAY, at=AT),
    ReferralPaid(
        member="m-2",
        referrer="m-1",
        order="o-1",
        wallet="points",
        newcomer_points=50,
        referrer_points=100,
        at=AT + 14 * DAY,
    ),
    ReferralTakenBack(
        member="m-2",
        referrer="m-1",
        order="o-1",
        paid=True,
        wallet="points",
        newcomer_points=50,
        referrer_points=100,
        at=AT + 15 * DAY,
    ),
)
