from __future__ import annotations

from typing import Any

from aggregates.order.decider import CancelOrder, PayOrder, order
from aggregates.order.payment import AwaitPayment, FailPayment, TenderOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.priced import lines_of_trace
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.value import replace
from projections.order_prices import OrderPrice, RefundShown, order_prices
from tests.aggregates.given import CONTEXT, DAY
from tests.aggregates.order.test_priced import CARD, GIFT, PLACE, TRACE
from tests.projections.folding import folded


def shown(*commands: Any) -> OrderPrice | None:
    state, events = order.initial, []
    for command in commands:
        for event in order.decide(command, state, CONTEXT):
            state = order.evolve(state, event)
            events.append(event)
    view = folded(order_prices, *(event for event in events if type(event) in order_prices.events)).get("price:o")
    assert view is None or isinstance(view, OrderPrice)
    return view


def payment(*commands: Any) -> str:
    view = shown(PLACE, *commands)
    assert view is not None
    return view.payment


def test_a_priced_order_shows_its_trace() -> None:
    assert shown(PLACE) == OrderPrice("o", TRACE, "none", 0, 0, (), as_of=1, position=1)


def test_an_order_without_a_trace_has_no_price_to_show() -> None:
    assert shown(replace(PLACE, priced=None), CARD, GIFT) is None


def test_what_was_tendered_is_shown_until_the_order_is_paid() -> None:
    assert payment(AwaitPayment("o", "p", DAY, at=2)) == "pending"
    assert payment(FailPayment("o", "p", at=2)) == "failed"
    assert payment(CARD) == "part"
    assert payment(CARD, FailPayment("o", "p", at=2)) == "part"
    assert payment(CARD, GIFT) == payment(PayOrder("o", at=2)) == "paid"
    assert payment(CancelOrder("o", at=2)) == "cancelled"


def test_refunds_are_shown_one_by_one() -> None:
    view = shown(PLACE, CARD, GIFT, RefundOrder("o", "r1", 4, (RefundPart(1, 1),), fee=68), RefundOrder("o", "r2", 5))
    assert view is not None
    assert view.refunds[0] == RefundShown("r1", "goods", 10000, 1667, 68, 519, at=4)
    assert (view.payment, view.refunded) == ("refunded", TRACE.payable - 68)


def test_a_part_that_went_back_is_shown() -> None:
    assert payment(CARD, GIFT, RefundOrder("o", "r1", 4, (RefundPart(1, 1),))) == "part_refunded"


def test_two_orders_are_shown_apart() -> None:
    placed = order.decide(
        PlaceOrder("p", lines_of_trace(TRACE), "EUR", at=1, tax=TRACE.tax, priced=TRACE), order.initial, CONTEXT
    )
    tendered = TenderOrder("o", "t", "card", 5, at=2)
    assert set(folded(order_prices, placed[1])) == {"price:p"}
    assert shown(PLACE, tendered) is not None
