"""Refunds that state their money, and any mix of them with refunds pro rata."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aggregates.decider import LARGEST_COUNT, Refusal
from aggregates.order.decider import CancelOrder, order
from aggregates.order.events import Event, OrderCancelled, OrderLine
from aggregates.order.refund import RefundOrder, RefundPart, money_back, units_of
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, refusing
from tests.aggregates.order.test_refund import ADJUSTMENT, LINES, MILK, TEA, paid, refunded


def test_what_is_stated_goes_back_with_the_goods() -> None:
    event = refunded(paid(TEA, MILK), "r-1", RefundPart(1, 1, total=50))
    assert event.lines == (replace(TEA, quantity=1, gross=399, total=333, paid=50),)
    assert (event.parts, event.net_retained) == (((1, 1, 50),), 1150)


def test_money_goes_back_without_goods() -> None:
    history = paid(TEA, MILK)
    event = refunded(history, "r-1", RefundPart(1, 0, total=100))
    assert event.lines == (replace(TEA, quantity=0, gross=0, total=0, paid=100),)
    assert (event.parts, event.complete) == (((1, 0, 100),), False)
    assert refunded(history, "r-2", RefundPart(1)).parts == ((1, 3, 799),), "all units together bring back what was paid"


def test_money_goes_back_after_the_goods_as_far_as_there_is_any() -> None:
    history = paid(TEA)
    assert not refunded(history, "r-1", RefundPart(1, total=500)).complete, "a part of the money is kept"
    last = refunded(history, "r-2", RefundPart(1, 0, total=399))
    assert (last.net_retained, last.complete) == (0, True)
    with refusing("refund_too_high"):
        refunded(history, "r-3", RefundPart(1, 0, total=1))


def test_parts_of_one_line_are_taken_together() -> None:
    event = refunded(paid(TEA), "r-1", RefundPart(1, 1, total=50), RefundPart(1, 1, total=70))
    assert event.parts == ((1, 2, 120),)


def test_what_was_stated_too_low_is_made_up_by_the_lines_next_unit_and_by_no_other_line() -> None:
    history = paid(TEA, MILK)
    refunded(history, "r-1", RefundPart(1, 1, total=50))
    assert refunded(history, "r-2", RefundPart(2)).parts == ((2, 1, 301),)
    assert refunded(history, "r-3", RefundPart(1, 1)).parts == ((1, 1, 549),)


def test_without_parts_the_money_of_settled_lines_goes_back_too() -> None:
    history = paid(TEA, MILK, ADJUSTMENT)
    refunded(history, "r-1", RefundPart(1, total=50))
    assert refunded(history, "r-2").parts == ((1, 0, 849), (2, 1, 301), (3, 1, -100))


@pytest.mark.parametrize("rest", [(), (RefundPart(1),)])
def test_money_kept_when_the_goods_came_back_can_be_refunded_later(rest: tuple[RefundPart, ...]) -> None:
    history = paid(TEA)
    refunded(history, "r-1", RefundPart(1, total=800))
    assert order.rebuild(history).status == "paid"
    last = refunded(history, "r-2", *rest)
    assert (last.parts, last.complete) == (((1, 0, 99),), True)
    assert order.rebuild(history).status == "refunded"
    with refusing("nothing_left"):
        refunded(history, "r-3", *rest)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ((RefundPart(1, 1, total=900),), "refund_too_high"),
        ((RefundPart(1, 1, total=500), RefundPart(1, 1, total=400)), "refund_too_high"),
        ((RefundPart(2, 1, total=0),), "refund_too_high"),  # this line is owed by the shopper
        ((RefundPart(1, 1, total=-1),), "total_invalid"),
        ((RefundPart(1, 1, total=LARGEST_COUNT + 1),), "total_invalid"),
        ((RefundPart(1, -1, total=1),), "quantity_invalid"),
        ((RefundPart(1, 4, total=1),), "nothing_left"),
        ((RefundPart(3, 1, total=1),), "line_unknown"),
    ],
)
def test_what_cannot_be_given_back_is_refused(parts: tuple[RefundPart, ...], code: str) -> None:
    with refusing(code):
        refunded(paid(TEA, ADJUSTMENT), "r-1", *parts)


def test_the_same_stated_refund_twice_changes_nothing() -> None:
    history = paid(TEA)
    refunded(history, "r-1", RefundPart(1, 0, total=100))
    assert order.decide(RefundOrder("o", "r-1", 9, (RefundPart(1, 0, total=200),)), order.rebuild(history), CONTEXT) == []


SPLITS = st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 10**6)), max_size=8)


@given(LINES, SPLITS)
def test_of_a_line_never_more_than_was_paid_goes_back_nor_less_than_nothing(
    line: OrderLine, splits: list[tuple[int, int | None]]
) -> None:
    done = given = 0
    for wanted, stated in splits:
        more = min(wanted, units_of(line) - done)
        try:
            back = money_back(line, done, given, more, stated)
        except Refusal:
            assert stated is not None
            continue
        done, given = done + more, given + back
        assert given <= max(0, line.paid)
        assert back >= 0 or line.paid < 0
    assume(line.paid >= 0)
    rest = units_of(line) - done
    assert not rest or given + money_back(line, done, given, rest, None) == line.paid, "the last units bring back the rest"


@given(LINES, st.lists(st.integers(0, 5), max_size=8))
def test_pro_rata_in_any_split_sums_to_what_was_paid(line: OrderLine, splits: list[int]) -> None:
    done = given = 0
    for wanted in (*splits, units_of(line)):
        more = min(wanted, units_of(line) - done)
        given += money_back(line, done, given, more, None)
        done += more
    assert given == line.paid


PARTS = st.builds(RefundPart, st.integers(1, 3), st.none() | st.integers(0, 4), st.none() | st.integers(0, 10**6))


@given(st.lists(LINES, min_size=1, max_size=3), st.lists(st.lists(PARTS, min_size=1, max_size=3), max_size=4), st.booleans())
def test_however_it_was_refunded_what_is_left_goes_back_to_the_cent(
    lines: list[OrderLine], refunds: list[list[RefundPart]], cancelled: bool
) -> None:
    history: list[Event] = paid(*lines)
    for number, parts in enumerate(refunds):
        try:
            refunded(history, f"r-{number}", *parts)
        except Refusal:
            continue
    now = order.rebuild(history)
    for line, back in zip(lines, now.given_back, strict=True):
        assert back <= max(0, line.paid)
        assert back >= min(0, line.paid)
    if cancelled:
        (last,) = order.decide(CancelOrder("o", 9, recorded=True), now, CONTEXT)
        assert isinstance(last, OrderCancelled)
    else:
        assume(now.status != "refunded")
        last = refunded(history, "rest")
        assert (last.complete, last.net_retained) == (True, 0)
    assert sum(now.given_back) + sum(line.paid for line in last.lines) == sum(line.paid for line in lines)
    quantities = sum(done for line, done in zip(lines, now.refunded, strict=True) if line.quantity)
    assert quantities + sum(line.quantity for line in last.lines) == sum(line.quantity for line in lines)
