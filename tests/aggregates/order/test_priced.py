"""Orders with a price trace: placed as priced, paid in parts, refunded by their lines' shares."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.order.decider import PayOrder, order
from aggregates.order.events import (
    Order,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentPending,
    OrderPriced,
    OrderRefunded,
    OrderTendered,
    TenderBack,
)
from aggregates.order.payment import AwaitPayment, FailPayment, TenderOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.priced import lines_of_trace
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.pricing.pipeline import price
from aggregates.pricing.request import PriceRequest
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, DAY, refusing
from tests.aggregates.pricing.carts import random_request
from tests.aggregates.pricing.shops import goods, order_of_2_4

TRACE = price(order_of_2_4()).trace
PLACE = PlaceOrder("o", lines_of_trace(TRACE), "EUR", at=1, member="m", tax=TRACE.tax, priced=TRACE)
CARD = TenderOrder("o", "t-1", "card", 19080, at=2)
GIFT = TenderOrder("o", "t-2", "gift_card", 10000, at=3)


def after(*commands: Any) -> Order:
    state = order.initial
    for command in commands:
        for event in order.decide(command, state, CONTEXT):
            state = order.evolve(state, event)
    return state


def refunded(state: Order, name: str, *parts: RefundPart, **more: Any) -> tuple[OrderRefunded, Order]:
    (event,) = order.decide(RefundOrder("o", name, 9, parts, **more), state, CONTEXT)
    assert isinstance(event, OrderRefunded)
    return event, order.evolve(state, event)


def test_a_priced_order_records_how_its_price_came_about() -> None:
    placed, priced = order.decide(PLACE, order.initial, CONTEXT)
    assert priced == OrderPriced(order="o", member="m", session=None, trace=TRACE, at=1)
    assert order.decide(PLACE, order.rebuild([placed, priced]), CONTEXT) == []


@pytest.mark.parametrize(
    "wrong",
    [
        replace(PLACE, tax=TRACE.tax + 1),
        replace(PLACE, currency="USD"),
        replace(PLACE, lines=PLACE.lines[::-1]),
        replace(PLACE, lines=(replace(PLACE.lines[0], paid=PLACE.lines[0].paid - 1), *PLACE.lines[1:])),
    ],
)
def test_an_order_that_is_not_what_was_priced_is_refused(wrong: PlaceOrder) -> None:
    with refusing("price_mismatch"):
        order.decide(wrong, order.initial, CONTEXT)


def test_an_order_is_paid_when_its_tenders_sum_to_its_price() -> None:
    placed = after(PLACE)
    (first,) = order.decide(CARD, placed, CONTEXT)
    assert first == OrderTendered(
        order="o", member="m", session=None, tender="t-1", kind="card", amount=19080, left=10000, at=2
    )
    tendered, paid = order.decide(GIFT, order.evolve(placed, first), CONTEXT)
    assert isinstance(tendered, OrderTendered)
    assert isinstance(paid, OrderPaid)
    assert (tendered.left, paid.net) == (0, TRACE.net)


def test_a_tender_told_twice_counts_once() -> None:
    assert order.decide(CARD, after(PLACE, CARD), CONTEXT) == []
    assert order.decide(GIFT, after(PLACE, CARD, GIFT), CONTEXT) == []
    with refusing("tender_exists"):
        order.decide(replace(CARD, amount=1), after(PLACE, CARD), CONTEXT)


def test_more_than_is_left_cannot_be_tendered() -> None:
    with refusing("tender_too_high", "Only 10000"):
        order.decide(replace(GIFT, amount=10001), after(PLACE, CARD), CONTEXT)


def test_an_order_paid_in_part_is_not_paid_whole() -> None:
    with refusing("order_part_paid"):
        order.decide(PayOrder("o", at=5), after(PLACE, CARD), CONTEXT)


def test_a_payment_that_is_pending_or_failed_is_recorded_once() -> None:
    wait, fail = AwaitPayment("o", "pay-1", until=DAY, at=2), FailPayment("o", "pay-1", at=3, reason="declined")
    assert order.decide(wait, after(PLACE), CONTEXT) == [
        OrderPaymentPending(order="o", member="m", session=None, payment="pay-1", until=DAY, at=2)
    ]
    assert order.decide(wait, after(PLACE, wait), CONTEXT) == []
    assert order.decide(fail, after(PLACE, wait), CONTEXT) == [
        OrderPaymentFailed(order="o", member="m", session=None, payment="pay-1", reason="declined", at=3)
    ]
    assert order.decide(fail, after(PLACE, wait, fail), CONTEXT) == []
    assert order.decide(CARD, after(PLACE, wait, fail), CONTEXT) != []


def test_a_payment_is_not_waited_for_beyond_seven_days() -> None:
    with refusing("until_invalid"):
        order.decide(AwaitPayment("o", "pay-1", until=2 + 8 * DAY, at=2), after(PLACE), CONTEXT)


def test_the_table_of_the_design_comes_out_of_the_order() -> None:
    state = after(PLACE, CARD, GIFT)
    rows = []
    for name, parts, goodwill in (("r1", (RefundPart(1, 1),), 0), ("r2", (), 500), ("r3", (RefundPart(2),), 0), ("r4", (), 0)):
        event, state = refunded(state, name, *parts, goodwill=goodwill)
        rows.append((sum(back for _, _, back in event.parts), event.tax, event.points, event.kind, event.tenders))
    assert rows == [
        (10068, 1678, 519, "goods", (TenderBack("t-1", 10068),)),
        (500, 82, 0, "goodwill", (TenderBack("t-1", 500),)),
        (6149, 1026, 326, "goods", (TenderBack("t-1", 6149),)),
        (12363, 2061, 655, "goods", (TenderBack("t-1", 2363), TenderBack("t-2", 10000))),
    ]
    assert (state.status, state.net) == ("refunded", 0)


def test_a_refund_told_twice_happens_once() -> None:
    _, state = refunded(after(PLACE, CARD, GIFT), "r1", RefundPart(1, 1))
    assert order.decide(RefundOrder("o", "r1", 9, (RefundPart(1, 1),)), state, CONTEXT) == []


def test_a_fee_is_kept_of_what_would_go_back_last() -> None:
    event, _ = refunded(after(PLACE, CARD, GIFT), "r1", RefundPart(1, 1), fee=1000, reason="opened")
    assert (sum(back for _, _, back in event.parts), event.fee, event.reason) == (9068, 1000, "opened")
    assert event.tenders == (TenderBack("t-1", 9068),)


def test_shipping_alone_is_told_apart() -> None:
    trace = price(PriceRequest((goods("A", 1, 1000), goods("ship", 1, 490, kind="shipping")))).trace
    state = after(PlaceOrder("o", lines_of_trace(trace), "USD", at=1, priced=trace), PayOrder("o", at=2))
    event, _ = refunded(state, "r", RefundPart(2))
    assert (event.kind, event.shipping) == ("shipping", 490)


def test_units_of_a_priced_order_bring_back_their_share() -> None:
    with refusing("total_with_units"):
        order.decide(RefundOrder("o", "r", 9, (RefundPart(1, 1, 500),)), after(PLACE, CARD, GIFT), CONTEXT)


def test_goodwill_needs_a_priced_order() -> None:
    given = after(replace(PLACE, priced=None), PayOrder("o", at=2))
    with refusing("order_not_priced"):
        order.decide(RefundOrder("o", "r", 9, goodwill=100), given, CONTEXT)


@given(st.integers(0, 10**9))
def test_any_refunds_of_a_priced_order_sum_to_what_was_paid(seed: int) -> None:
    chance = random.Random(seed)
    trace = price(random_request(seed)).trace
    place = PlaceOrder("o", lines_of_trace(trace), trace.currency, at=1, tax=trace.tax, priced=trace)
    state = after(place, PayOrder("o", at=2))
    money = tax = points = number = 0
    while state.status != "refunded":
        assert state.priced is not None
        kept = [
            n for n, (name, line) in enumerate(state.priced.lines.items(), 1) if line.units_left and not name.startswith("gift")
        ]
        line = chance.choice(kept)
        units = chance.randint(1, list(state.priced.lines.values())[line - 1].units_left)
        event, state = refunded(state, f"r{number}", RefundPart(line, units))
        number += 1
        money, tax, points = money + sum(back for _, _, back in event.parts), tax + event.tax, points + event.points
    assert (money, tax, points) == (trace.payable, trace.tax, sum(share.points for share in trace.shares))
    assert state.net == 0
