"""The lowest price of 30 days, orders in short and in lists, and what is on gift cards."""

from __future__ import annotations

from typing import Any

from aggregates.decider import Recorded
from aggregates.gift_card import GiftCardCharged, GiftCardHeld, GiftCardIssued
from aggregates.member import MemberErased
from aggregates.order.events import OrderCancelled, OrderLine, OrderPaid, OrderPlaced, OrderRefunded
from aggregates.order.fulfilment import OrderDelivered, OrderReturned, OrderShipped
from aggregates.order.stock import StockTaken
from aggregates.product import ProductListed, ProductRepriced
from projections.gift_cards import GiftCardView, HeldAmount, gift_cards
from projections.lowest_prices import PricePeriod, Reduction, lowest_prices
from projections.order_lists import order_lists, order_states
from tests.projections.folding import folded, removed

DAY = 86_400_000


def listed(price: int | None, at: int = 0) -> ProductListed:
    return ProductListed(
        product="p", name=None, department=None, category=None, brand=None, price=price, stock=None, attributes={}, at=at
    )


def repriced(price: int, at: int) -> ProductRepriced:
    return ProductRepriced(product="p", price=price, previous=None, at=at)


def lowest(*events: object) -> Any:
    return folded(lowest_prices, *events)["lowest:p"]


def test_a_reduction_is_off_the_lowest_price_of_the_thirty_days_before() -> None:
    view = lowest(listed(1000), repriced(800, 10 * DAY), repriced(1000, 20 * DAY), repriced(900, 30 * DAY))
    assert view.reduction == Reduction(30 * DAY, 800, 0)
    later = lowest(listed(1000), repriced(800, 10 * DAY), repriced(1000, 20 * DAY), repriced(900, 50 * DAY))
    assert later.reduction == Reduction(50 * DAY, 1000, 10)


def test_the_price_in_force_when_the_thirty_days_began_counts() -> None:
    view = lowest(listed(700), repriced(1000, 31 * DAY), repriced(900, 60 * DAY))
    assert view.reduction == Reduction(60 * DAY, 700, 0)


def test_a_rise_is_no_reduction_and_a_first_price_neither() -> None:
    assert lowest(listed(700)).reduction is None
    assert lowest(listed(700), repriced(800, DAY)).reduction is None
    assert lowest(listed(700), repriced(600, DAY), listed(600, 2 * DAY)).reduction == Reduction(DAY, 700, 14)
    assert lowest(listed(700), listed(None, DAY)).history == (PricePeriod(700, 0, None),)


WHOSE: dict[str, Any] = {"order": "o", "member": "m", "session": None}
LINES = (OrderLine("tea", 2, 200, 200, 200), OrderLine("cup", 1, 50, 50, 50))
PLACED = OrderPlaced(**WHOSE, cart=None, currency="USD", lines=LINES, tax=0, at=1)
PAID = OrderPaid(**WHOSE, currency="USD", lines=LINES, net=250, at=2)


def state(*events: object) -> Any:
    return folded(order_states, PLACED, *events)["order-state:o"]


def states(*events: object) -> tuple[str, str, str]:
    found = state(*events)
    return found.status, found.payment, found.fulfilment


def test_an_order_has_a_state_of_its_payment_and_of_its_goods() -> None:
    part, rest = (OrderShipped(**WHOSE, at=3, shipment=name, complete=name == "b") for name in "ab")
    back = OrderReturned(**WHOSE, returned="r", parts=((1, 1),), restock=True, complete=False, reason="", at=5)
    refund = OrderRefunded(
        **WHOSE, refund="r", currency="USD", parts=((1, 1, 100),), lines=LINES[1:], net_retained=150, complete=False, at=6
    )
    assert states() == ("placed", "none", "none")
    assert states(PAID, part) == ("paid", "paid", "part")
    assert states(PAID, part, rest) == ("shipped", "paid", "shipped")
    assert states(PAID, OrderDelivered(**WHOSE, at=4), back, refund) == ("delivered", "part_refunded", "part_returned")
    assert state(PAID, refund).refunded == 50
    cancelled = OrderCancelled(**WHOSE, currency="USD", reason="", lines=(), at=9)
    assert states(cancelled) == ("cancelled", "none", "none")


def test_what_was_oversold_is_flagged() -> None:
    assert state(PAID, StockTaken(**WHOSE, items=(("tea", 2),), at=2, oversold=("tea",))).oversold == ("tea",)


def test_orders_are_listed_by_day_and_by_product_and_month() -> None:
    delta = order_lists("UTC").fold([Recorded(1, PLACED)])
    assert dict(delta.fields) == {
        "orders-on:1970-01-01": {"o": 1},
        "orders-of:tea:1970-01": {"o": 1},
        "orders-of:cup:1970-01": {"o": 1},
    }


def test_a_gift_card_and_store_credit() -> None:
    issued = GiftCardIssued(card="g", member=None, currency="USD", amount=500, expires=None, at=1)
    held = GiftCardHeld(card="g", member=None, order="o", amount=100, until=9, at=2)
    charged = GiftCardCharged(card="g", member=None, order="o", tender="t", amount=100, left=400, at=3)
    view = folded(gift_cards, issued, held)["gift-card:g"]
    assert isinstance(view, GiftCardView)
    assert (view.balance, view.held) == (500, (HeldAmount("o", 100, 9),))
    view = folded(gift_cards, issued, held, charged)["gift-card:g"]
    assert isinstance(view, GiftCardView)
    assert (view.balance, view.held) == (400, ())
    credit = GiftCardIssued(card="c", member="ada", currency="USD", amount=70, expires=None, at=1)
    credited: Any = folded(gift_cards, credit)["store-credit:ada"]
    assert [one.balance for one in credited.accounts] == [70]
    assert removed(folded(gift_cards, credit, MemberErased("ada", 2))) == {"store-credit:ada"}
