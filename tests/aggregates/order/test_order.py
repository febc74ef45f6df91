from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from aggregates.decider import Refusal
from aggregates.order.decider import (
    CancelOrder,
    Command,
    PayOrder,
    order,
)
from aggregates.order.events import (
    Event,
    OrderCancelled,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
)
from aggregates.order.fulfilment import DeliverOrder, OrderDelivered, OrderShipped, ShipOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundOrder
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, ask, refusing

LINES = (
    OrderLine("tea", 2, gross=1200, total=1000, paid=900, department="GROCERY", category="TEA"),
    OrderLine("milk", 1, gross=300, total=300, paid=300),
)
PLACE = PlaceOrder("o", LINES, "USD", at=1, member="m", session="s", cart="c", tax=80)
WHOSE: dict[str, Any] = {"order": "o", "member": "m", "session": "s"}
PLACED = OrderPlaced(order="o", member="m", session="s", cart="c", currency="USD", lines=LINES, tax=80, at=1)
PAID = OrderPaid(**WHOSE, currency="USD", lines=LINES, net=1120, at=2)
SHIPPED = OrderShipped(**WHOSE, at=3, parts=((1, 2), (2, 1)))
DELIVERED = OrderDelivered(**WHOSE, at=4)
CANCELLED = OrderCancelled(**WHOSE, currency="USD", reason="changed my mind", lines=(), at=5)
HALF_BACK = OrderRefunded(
    order="o",
    refund="r-1",
    member="m",
    session="s",
    currency="USD",
    parts=((1, 1, 500),),
    lines=(replace(LINES[0], quantity=1),),
    net_retained=700,
    complete=False,
    at=6,
)
ALL_BACK = OrderRefunded(
    order="o",
    refund="r-2",
    member="m",
    session="s",
    currency="USD",
    parts=((1, 2, 1000), (2, 1, 200)),
    lines=LINES,
    net_retained=0,
    complete=True,
    at=7,
)


def test_placing_records_the_lines() -> None:
    assert order.decide(PLACE, order.initial, CONTEXT) == [PLACED]


def test_placing_twice_changes_nothing() -> None:
    assert order.decide(replace(PLACE, at=9), order.rebuild([PLACED, PAID]), CONTEXT) == []


def test_placing_another_order_under_the_same_id_is_refused() -> None:
    with refusing("order_exists"):
        order.decide(replace(PLACE, lines=LINES[:1]), order.rebuild([PLACED]), CONTEXT)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (replace(LINES[0], product=""), "product_id_invalid"),
        (replace(LINES[0], quantity=-1), "quantity_invalid"),
        (replace(LINES[0], gross=-1), "gross_invalid"),
        (replace(LINES[0], total=-1, paid=-1), "total_invalid"),
        (replace(LINES[0], paid=1001), "discount_invalid"),
    ],
)
def test_a_line_that_cannot_be_is_refused(line: OrderLine, code: str) -> None:
    with refusing(code):
        ask(order, replace(PLACE, lines=(LINES[1], line)), order.initial)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (replace(PLACE, order=""), "order_id_invalid"),
        (replace(PLACE, lines=()), "order_empty"),
        (replace(PLACE, tax=-1), "tax_invalid"),
        (replace(PLACE, member=""), "member_id_invalid"),
        (replace(PLACE, session="a\nb"), "session_id_invalid"),
        (replace(PLACE, cart="x" * 201), "cart_id_invalid"),
    ],
)
def test_an_order_that_cannot_be_is_refused(command: PlaceOrder, code: str) -> None:
    with refusing(code):
        ask(order, command, order.initial)


def test_an_adjustment_and_tender_above_the_total_are_taken_as_given() -> None:
    lines = (OrderLine("fuel", 0, gross=0, total=0, paid=0), OrderLine("soap", 1, gross=100, total=100, paid=-50))
    (placed,) = order.decide(replace(PLACE, lines=lines, tax=0), order.initial, CONTEXT)
    assert order.decide(PayOrder("o", at=2), order.rebuild([placed]), CONTEXT) == [replace(PAID, lines=lines, net=0)]


def test_paying_freezes_what_the_order_is_worth_without_tax() -> None:
    assert order.decide(PayOrder("o", at=2), order.rebuild([PLACED]), CONTEXT) == [PAID]


def test_shipping_follows_payment() -> None:
    assert order.decide(ShipOrder("o", at=3), order.rebuild([PLACED, PAID]), CONTEXT) == [SHIPPED]


@pytest.mark.parametrize("given", [[PLACED, PAID], [PLACED, PAID, SHIPPED]], ids=["paid", "shipped"])
def test_delivering_follows_payment_with_or_without_shipping(given: list[Event]) -> None:
    assert order.decide(DeliverOrder("o", at=4), order.rebuild(given), CONTEXT) == [DELIVERED]


def test_cancelling_before_payment_gives_nothing_back() -> None:
    assert order.decide(CancelOrder("o", 5, "changed my mind"), order.rebuild([PLACED]), CONTEXT) == [CANCELLED]


def test_cancelling_after_payment_gives_all_of_it_back() -> None:
    cancelled = replace(CANCELLED, lines=LINES)
    assert order.decide(CancelOrder("o", 5, "changed my mind"), order.rebuild([PLACED, PAID]), CONTEXT) == [cancelled]


TWICE: list[tuple[Command, list[Event]]] = [
    (PayOrder("o", at=9), [PLACED, PAID]),
    (PayOrder("o", at=9), [PLACED, PAID, SHIPPED]),
    (PayOrder("o", at=9), [PLACED, PAID, DELIVERED]),
    (PayOrder("o", at=9), [PLACED, PAID, ALL_BACK]),
    (ShipOrder("o", at=9), [PLACED, PAID, SHIPPED]),
    (ShipOrder("o", at=9), [PLACED, PAID, SHIPPED, DELIVERED]),
    (DeliverOrder("o", at=9), [PLACED, PAID, DELIVERED]),
    (DeliverOrder("o", at=9), [PLACED, PAID, DELIVERED, ALL_BACK]),
    (CancelOrder("o", at=9), [PLACED, CANCELLED]),
]


@pytest.mark.parametrize(("command", "given"), TWICE)
def test_a_step_taken_before_changes_nothing(command: Command, given: list[Event]) -> None:
    assert order.decide(command, order.rebuild(given), CONTEXT) == []


REFUSED: list[tuple[Command, list[Event], str]] = [
    (PayOrder("o", at=9), [], "order_unknown"),
    (ShipOrder("o", at=9), [], "order_unknown"),
    (DeliverOrder("o", at=9), [], "order_unknown"),
    (CancelOrder("o", at=9), [], "order_unknown"),
    (RefundOrder("o", "r", at=9), [], "order_unknown"),
    (ShipOrder("o", at=9), [PLACED], "order_placed"),
    (DeliverOrder("o", at=9), [PLACED], "order_placed"),
    (PayOrder("o", at=9), [PLACED, CANCELLED], "order_cancelled"),
    (ShipOrder("o", at=9), [PLACED, PAID, CANCELLED], "order_cancelled"),
    (DeliverOrder("o", at=9), [PLACED, PAID, CANCELLED], "order_cancelled"),
    (CancelOrder("o", at=9), [PLACED, PAID, SHIPPED], "order_shipped"),
    (CancelOrder("o", at=9), [PLACED, PAID, DELIVERED], "order_delivered"),
    (CancelOrder("o", at=9), [PLACED, PAID, HALF_BACK], "order_refunded"),
    (CancelOrder("o", at=9), [PLACED, PAID, ALL_BACK], "order_refunded"),
    (RefundOrder("o", "r", at=9), [PLACED], "order_not_paid"),
    (RefundOrder("o", "r", at=9), [PLACED, CANCELLED], "order_not_paid"),
    (RefundOrder("o", "r", at=9), [PLACED, PAID, CANCELLED], "nothing_left"),
    (RefundOrder("o", "", at=9), [PLACED, PAID], "refund_id_invalid"),
]


@pytest.mark.parametrize(("command", "given", "code"), REFUSED)
def test_a_step_out_of_turn_is_refused(command: Command, given: list[Event], code: str) -> None:
    with refusing(code):
        ask(order, command, order.rebuild(given))


def test_tax_above_what_was_paid_is_refused() -> None:
    paid = sum(line.paid for line in LINES)
    assert order.decide(replace(PLACE, tax=paid), order.initial, CONTEXT)
    with refusing("tax_too_high", f"tax of {paid + 1} is more than the {paid}"):
        order.decide(replace(PLACE, tax=paid + 1), order.initial, CONTEXT)


@pytest.mark.parametrize("steps", [(1, 0), (0, 1)])
def test_a_refund_and_a_cancellation_end_at_the_same_books_in_either_order(steps: tuple[int, int]) -> None:
    both: tuple[Command, ...] = (RefundOrder("o", "r", at=9), CancelOrder("o", at=9, recorded=True))
    events: list[Event] = [PLACED, PAID]
    for step in steps:
        with suppress(Refusal):  # a refund after the cancellation finds nothing left
            events += order.decide(both[step], order.rebuild(events), CONTEXT)
    assert order.rebuild(events).status == "cancelled"
    back = [line for event in events if isinstance(event, OrderRefunded | OrderCancelled) for line in event.lines]
    assert sum(line.paid for line in back) == sum(line.paid for line in LINES)


def test_an_order_knows_what_it_is_worth_now() -> None:
    steps: list[Event] = [PLACED, PAID, SHIPPED, HALF_BACK, DELIVERED, ALL_BACK]
    worth = [order.rebuild(steps[: length + 1]).net for length in range(len(steps))]
    assert worth == [0, 1120, 1120, 700, 700, 0]


def test_a_part_refunded_leaves_the_order_where_it_is() -> None:
    assert order.rebuild([PLACED, PAID, SHIPPED, HALF_BACK]).status == "shipped"
    assert order.decide(DeliverOrder("o", at=4), order.rebuild([PLACED, PAID, HALF_BACK]), CONTEXT) == [DELIVERED]
