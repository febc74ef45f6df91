"""What an import tells of orders: cancelled however far they had come, with codes, and with lines that have no price."""

from __future__ import annotations

import pytest

from aggregates.order.decider import CancelOrder, order
from aggregates.order.events import Event, OrderLine, OrderPlaced
from aggregates.order.fulfilment import OrderShipped
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundPart
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, ask, refusing
from tests.aggregates.order.test_order import ALL_BACK, CANCELLED, DELIVERED, LINES, PAID, PLACE, PLACED, SHIPPED
from tests.aggregates.order.test_refund import refunded

RECORDED = CancelOrder("o", 5, "changed my mind", recorded=True)


@pytest.mark.parametrize("given", [[PAID], [PAID, SHIPPED], [PAID, DELIVERED], [PAID, SHIPPED, DELIVERED]])
def test_an_order_that_the_shop_has_cancelled_gives_all_of_it_back_however_far_it_had_come(given: list[Event]) -> None:
    cancelled = replace(CANCELLED, lines=LINES)
    assert order.decide(RECORDED, order.rebuild([PLACED, *given]), CONTEXT) == [cancelled]
    assert order.rebuild([PLACED, *given, cancelled]).status == "cancelled"


def test_of_an_order_that_was_not_paid_nothing_goes_back() -> None:
    assert order.decide(RECORDED, order.rebuild([PLACED]), CONTEXT) == [CANCELLED]


def test_an_order_refunded_in_full_has_nothing_to_give_back_and_is_cancelled() -> None:
    history: list[Event] = [PLACED, PAID]
    refunded(history, "all")
    assert order.decide(RECORDED, order.rebuild(history), CONTEXT) == [CANCELLED]


def test_what_is_left_of_a_part_refunded_goes_back_to_the_cent() -> None:
    history: list[Event] = [PLACED, PAID, OrderShipped(order="o", member="m", session="s", at=3)]
    refunded(history, "r-1", RefundPart(1, 1))
    refunded(history, "r-2", RefundPart(2, 0, total=33))
    left = (OrderLine("tea", 1, 600, 500, 450, "GROCERY", "TEA"), OrderLine("milk", 1, 300, 300, 267))
    assert order.decide(RECORDED, order.rebuild(history), CONTEXT) == [replace(CANCELLED, lines=left)]


def test_money_that_was_kept_of_goods_given_back_goes_back_alone() -> None:
    history: list[Event] = [PLACED, PAID]
    refunded(history, "r-1", RefundPart(1, total=800), RefundPart(2))
    left = (OrderLine("tea", 0, 0, 0, 100, "GROCERY", "TEA"),)
    assert order.decide(RECORDED, order.rebuild(history), CONTEXT) == [replace(CANCELLED, lines=left)]


@pytest.mark.parametrize("before", [[PAID], [PAID, SHIPPED, DELIVERED], [PAID, ALL_BACK], []])
def test_cancelling_twice_changes_nothing(before: list[Event]) -> None:
    assert order.decide(RECORDED, order.rebuild([PLACED, *before, CANCELLED]), CONTEXT) == []


def test_an_order_that_nobody_knows_is_not_cancelled() -> None:
    with refusing("order_unknown"):
        order.decide(RECORDED, order.initial, CONTEXT)


WITH_CODES = replace(PLACE, coupons=("SPRING", "10% off"), unpriced=1)


def test_codes_and_lines_without_a_price_are_kept_with_the_order() -> None:
    (placed,) = order.decide(WITH_CODES, order.initial, CONTEXT)
    assert placed == replace(PLACED, coupons=("SPRING", "10% off"), unpriced=1)
    assert order.decide(replace(WITH_CODES, at=9), order.rebuild([placed]), CONTEXT) == []


@pytest.mark.parametrize("other", [PLACE, replace(WITH_CODES, coupons=("SPRING",)), replace(WITH_CODES, unpriced=2)])
def test_other_codes_make_another_order(other: PlaceOrder) -> None:
    placed = OrderPlaced(
        order="o",
        member="m",
        session="s",
        cart="c",
        currency="USD",
        lines=LINES,
        tax=80,
        at=1,
        coupons=("SPRING", "10% off"),
        unpriced=1,
    )
    with refusing("order_exists"):
        order.decide(other, order.rebuild([placed]), CONTEXT)


@pytest.mark.parametrize(
    ("command", "code"),
    [(replace(PLACE, coupons=("SPRING", "")), "coupon_id_invalid"), (replace(PLACE, unpriced=-1), "unpriced_invalid")],
)
def test_codes_and_counts_that_cannot_be_are_refused(command: PlaceOrder, code: str) -> None:
    with refusing(code):
        ask(order, command, order.initial)
