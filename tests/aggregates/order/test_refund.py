from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.order.decider import PayOrder, order
from aggregates.order.events import Event, OrderLine, OrderRefunded
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, ask, refusing

TEA = OrderLine("tea", 3, gross=1199, total=1000, paid=899)
MILK = OrderLine("milk", 1, gross=301, total=301, paid=301)
ADJUSTMENT = OrderLine("milk", 0, gross=0, total=0, paid=-100)


def paid(*lines: OrderLine, tax: int = 0) -> list[Event]:
    placed = order.decide(PlaceOrder("o", lines, "USD", at=1, member="m", tax=tax), order.initial, CONTEXT)
    return [*placed, *order.decide(PayOrder("o", at=2), order.rebuild(placed), CONTEXT)]


def refunded(history: list[Event], refund: str, *parts: RefundPart) -> OrderRefunded:
    """Decide a refund, add it to the history."""
    (event,) = ask(order, RefundOrder("o", refund, 3, parts), order.rebuild(history))
    assert isinstance(event, OrderRefunded)
    history.append(event)
    return event


def test_a_unit_goes_back_with_its_share_of_the_money() -> None:
    event = refunded(paid(TEA, MILK), "r-1", RefundPart(1, 1))
    back = replace(TEA, quantity=1, gross=399, total=333, paid=299)
    assert event == OrderRefunded(
        order="o",
        refund="r-1",
        member="m",
        session=None,
        currency="USD",
        parts=((1, 1, 299),),
        lines=(back,),
        net_retained=901,
        complete=False,
        at=3,
        kind="goods",
    )


def test_unit_by_unit_goes_back_to_the_cent() -> None:
    history = paid(TEA)
    units = [refunded(history, f"r-{i}", RefundPart(1, 1)).lines[0] for i in range(3)]
    assert [(unit.gross, unit.total, unit.paid) for unit in units] == [(399, 333, 299), (400, 333, 300), (400, 334, 300)]


def test_without_parts_all_that_is_left_goes_back_with_its_adjustments() -> None:
    history = paid(TEA, MILK, ADJUSTMENT)
    refunded(history, "r-1", RefundPart(1, 2))
    rest = refunded(history, "r-2")
    assert ([units for _, units, _ in rest.parts], rest.net_retained, rest.complete) == ([1, 1, 1], 0, True)
    assert [line.paid for line in rest.lines] == [300, 301, -100]
    assert order.rebuild(history).status == "refunded"


def test_without_a_quantity_all_that_is_left_of_the_line_goes_back() -> None:
    history = paid(TEA, MILK)
    refunded(history, "r-1", RefundPart(1, 1))
    rest = refunded(history, "r-2", RefundPart(1))
    assert (rest.parts, rest.complete) == (((1, 2, 600),), False)


def test_an_adjustment_goes_back_once_and_moves_no_goods() -> None:
    history = paid(TEA, ADJUSTMENT)
    event = refunded(history, "r-1", RefundPart(2))
    assert (event.parts, event.lines) == (((2, 1, ADJUSTMENT.paid),), (ADJUSTMENT,))
    for part in (RefundPart(2, 1), RefundPart(2)):
        with refusing("nothing_left"):
            refunded(history, "r-2", part)


def test_tax_is_kept_in_proportion_to_what_is_kept() -> None:
    history = paid(replace(TEA, quantity=2, paid=1000), replace(MILK, total=1000, paid=1000), tax=200)
    assert refunded(history, "r-1", RefundPart(2)).net_retained == 900
    assert refunded(history, "r-2", RefundPart(1, 1)).net_retained == 450
    assert refunded(history, "r-3").net_retained == 0


@pytest.mark.parametrize(
    ("paid_for", "given_back", "tax", "net"),
    [(100, -150, 0, 0), (10_000, -3_000, 0, 7_000), (10_000, -3_000, 700, 6_300)],
)
def test_giving_back_a_line_of_negative_money_never_makes_the_order_worth_more(
    paid_for: int, given_back: int, tax: int, net: int
) -> None:
    lines = (replace(MILK, gross=paid_for, total=paid_for, paid=paid_for), replace(MILK, gross=0, total=0, paid=given_back))
    history = paid(*lines, tax=tax)
    assert order.rebuild(history).net == net
    assert refunded(history, "r-1", RefundPart(2)).net_retained == net
    assert refunded(history, "r-2").net_retained == 0


def test_the_same_refund_twice_changes_nothing() -> None:
    history = paid(TEA)
    refunded(history, "r-1", RefundPart(1, 1))
    assert order.decide(RefundOrder("o", "r-1", 9, (RefundPart(1, 2),)), order.rebuild(history), CONTEXT) == []
    refunded(history, "r-2")
    assert order.decide(RefundOrder("o", "r-2", 9), order.rebuild(history), CONTEXT) == []


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ((RefundPart(0),), "line_unknown"),
        ((RefundPart(3),), "line_unknown"),
        ((RefundPart(1, 0),), "quantity_invalid"),
        ((RefundPart(1, -1),), "quantity_invalid"),
        ((RefundPart(1, 4),), "nothing_left"),
        ((RefundPart(1, 2), RefundPart(1, 2)), "nothing_left"),
        ((RefundPart(1), RefundPart(1)), "nothing_left"),
        ((RefundPart(1), RefundPart(1, 1)), "nothing_left"),
        ((RefundPart(2, 2),), "nothing_left"),
    ],
)
def test_more_than_there_is_cannot_go_back(parts: tuple[RefundPart, ...], code: str) -> None:
    with refusing(code):
        refunded(paid(TEA, ADJUSTMENT), "r-1", *parts)


def test_what_was_refunded_in_full_has_nothing_left() -> None:
    history = paid(TEA)
    refunded(history, "r-1")
    with refusing("nothing_left"):
        refunded(history, "r-2")


MONEY = st.integers(0, 10**6)
LINES = st.builds(
    lambda product, quantity, gross, total, tender: OrderLine(product, quantity, gross, total, total - tender),
    st.sampled_from(["tea", "milk"]),
    st.integers(0, 5),
    MONEY,
    MONEY,
    MONEY,
)


@given(st.lists(LINES, min_size=1, max_size=4), MONEY, st.data())
def test_refunds_in_any_parts_sum_to_what_was_paid(lines: list[OrderLine], tax: int, data: st.DataObject) -> None:
    units = [line for line, sold in enumerate(lines, 1) for _ in range(sold.quantity or 1)]
    shuffled = data.draw(st.permutations(units))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(units)))) | {0, len(units)})
    history = paid(*lines, tax=min(tax, max(0, sum(line.paid for line in lines))))
    refunds = [
        refunded(history, f"r-{start}", *(RefundPart(line, 1) for line in shuffled[start:end])) for start, end in pairwise(cuts)
    ]
    for measure in ("quantity", "gross", "total", "paid"):
        back = sum(getattr(line, measure) for event in refunds for line in event.lines)
        assert back == sum(getattr(line, measure) for line in lines)
    assert [event.complete for event in refunds] == [False] * (len(refunds) - 1) + [True]
    assert (refunds[-1].net_retained, order.rebuild(history).status) == (0, "refunded")
    worth = [order.rebuild(history[:length]).net for length in range(2, len(history) + 1)]
    assert worth[1:] == [event.net_retained for event in refunds]
    assert worth == sorted(worth, reverse=True), "giving back never earns"
