"""Refunds: by line, by product, of stated money, of all that is left; never more than that, and never another's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.order.events import Order, OrderLine, OrderPlaced
from streams.imports.shop_log.lines import RefundLineItem
from streams.imports.shop_log.order_plans import resolved
from streams.queries import views as reading
from streams.running.app import App
from tests.streams.imports.lines import Line, document, entry, import_lines, item, order

MIXED = [item("tea", total="3.00"), item("milk", total="1.00"), item("tea", quantity=2, total="5.01")]


def refund(minute: float, *parts: Line, **told_besides: Any) -> Line:
    return entry("refund", minute, order_id="o", **({"lines": list(parts)} if parts else {}), **told_besides)


def refunded(app: App) -> int:
    return int(document(app, "order:o")["refunded"])


def test_the_shares_of_all_parts_sum_to_what_was_paid(app: App) -> None:
    thirds = order("o", 0, item("tea", quantity=3, total="1.00"), member_id="ada")
    backs = []
    for minute in (1, 2, 3):
        assert import_lines(app, thirds, refund(minute, {"line": 1})).counts.rejected == 0
        backs.append(refunded(app))
    assert backs == [33, 66, 100]
    assert document(app, "order:o")["status"] == "refunded"


def test_a_refund_without_lines_refunds_all_that_is_left(app: App) -> None:
    result = import_lines(app, order("o", 0, *MIXED, member_id="ada"), refund(1, {"line": 3}), refund(2), refund(3))
    assert result.codes == [(4, "nothing_left")]
    assert (refunded(app), document(app, "order:o")["status"]) == (901, "refunded")


def test_a_product_takes_its_first_line_with_something_left_then_the_next(app: App) -> None:
    steps: list[tuple[dict[str, Any], int]] = [
        ({"product_id": "tea"}, 300),
        ({"product_id": "tea", "quantity": 1}, 550),
        ({"product_id": "tea"}, 801),
    ]
    import_lines(app, order("o", 0, *MIXED, member_id="ada"))
    for minute, (part, after) in enumerate(steps, 1):
        assert import_lines(app, refund(minute, part)).codes == []
        assert refunded(app) == after
    assert import_lines(app, refund(9, {"product_id": "tea"})).codes == [(1, "nothing_left")]


@pytest.mark.parametrize(("total", "code"), [("8.01", None), ("3.01", None), ("0.00", None), ("8.02", "refund_too_high")])
def test_a_products_stated_money_is_spread_over_its_lines(app: App, total: str, code: str | None) -> None:
    result = import_lines(
        app, order("o", 0, *MIXED, member_id="ada"), refund(1, {"product_id": "tea", "quantity": 3, "total": total})
    )
    assert [code for _, code in result.codes] == ([code] if code else [])
    assert refunded(app) == (0 if code else round(float(total) * 100))


def test_a_missing_quantity_is_one_and_zero_is_money_without_goods(app: App) -> None:
    two = order("o", 0, item("tea", quantity=2, total="4.00"), member_id="ada")
    import_lines(app, two, refund(1, {"line": 1}), refund(2, {"line": 1, "quantity": 0, "total": "0.50"}))
    assert refunded(app) == 250
    assert app.views.hashes(["product:tea"])["product:tea"]["units_returned"] == "1"


BAD: dict[str, Line] = {
    "line_unknown": {"line": 4},
    "product_not_in_order": {"product_id": "rice"},
    "line_of_another_product": {"line": 1, "product_id": "milk"},
    "refund_too_high": {"line": 1, "total": "3.01"},
    "quantity_invalid": {"line": 1, "quantity": 0},
    "nothing_left": {"line": 3, "quantity": 3},
}


@pytest.mark.parametrize("code", BAD)
def test_a_refund_with_one_impossible_part_is_rejected_whole(app: App, code: str) -> None:
    good: Line = {"line": 2}
    assert import_lines(app, order("o", 0, *MIXED, member_id="ada"), refund(1, good, BAD[code])).codes == [(2, code)]
    assert refunded(app) == 0


def test_an_unpaid_or_unknown_order_cannot_be_refunded(app: App) -> None:
    assert import_lines(app, refund(0), order("o", 1, status="placed"), refund(2)).codes == [
        (1, "order_unknown"),
        (3, "order_not_paid"),
    ]


@pytest.mark.parametrize(
    ("owner", "asking", "accepted"),
    [
        ({"member_id": "ada"}, {"member_id": "ada"}, True),
        ({"member_id": "ada"}, {"member_id": "bob"}, False),
        ({"member_id": "ada"}, {"session_id": "of-ada"}, True),
        ({"member_id": "ada"}, {"session_id": "of-nobody"}, False),
        ({"session_id": "of-nobody"}, {"session_id": "of-nobody"}, True),
        ({"session_id": "of-nobody"}, {"session_id": "of-ada"}, False),
        ({"session_id": "of-nobody"}, {"member_id": "ada"}, False),
        ({}, {"member_id": "ada"}, False),
        ({}, {}, True),
        ({"member_id": "ada"}, {}, True),
    ],
)
def test_another_shoppers_order_is_not_refunded(app: App, owner: Line, asking: Line, accepted: bool) -> None:
    join = entry("view", 0, product_id="tea", member_id="ada", session_id="of-ada")
    result = import_lines(app, join, order("o", 1, **owner), refund(2, **asking))
    assert result.codes == ([] if accepted else [(3, "order_anothers")])


def test_a_member_may_refund_an_order_of_their_guest_session(app: App) -> None:
    bought = order("o", 0, item("tea", quantity=2, total="4.00"), session_id="s")
    join = entry("view", 1, product_id="tea", member_id="ada", session_id="s")
    parts = [refund(2, {"line": 1}, session_id="s"), refund(3, {"line": 1}, member_id="ada")]
    assert import_lines(app, bought, join, *parts).outcome == (4, 0, 0)
    assert reading.sales_totals(app.views)["refunded"] == 400


def test_a_refund_dated_before_its_order_is_late_whichever_file_has_the_order(app: App) -> None:
    two = order("o", 5, item("tea", quantity=2, total="4.00"), member_id="ada")
    assert import_lines(app, two, refund(1, {"line": 1})).counts.late == 1
    assert import_lines(app, refund(2, {"line": 1})).counts.late == 1
    assert refunded(app) == 400


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 500)), min_size=1, max_size=4),
    st.data(),
)
def test_any_money_up_to_what_is_left_can_be_refunded(bought: list[tuple[int, int]], data: st.DataObject) -> None:
    lines = tuple(OrderLine("tea", units, paid, paid, paid) for units, paid in bought)
    placed = OrderPlaced(order="o", member="ada", session=None, cart=None, currency="USD", lines=lines, tax=0, at=0)
    stood = Order("paid", placed, (0,) * len(lines), (0,) * len(lines))
    units = data.draw(st.integers(1, sum(units for units, _ in bought)))
    reached, count = 0, 0
    for line in lines:
        if count < units:
            reached, count = reached + line.paid, count + line.quantity
    total = data.draw(st.integers(0, reached))
    parts = list(resolved((RefundLineItem(product="tea", quantity=units, total=total),), stood))
    assert sum(part.quantity or 0 for part in parts) == units
    assert sum(part.total or 0 for part in parts) == total
    assert all(0 <= (part.total or 0) <= lines[part.line - 1].paid for part in parts)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), st.data())
def test_parts_by_product_and_by_line_take_each_products_first_units_that_are_left(
    products: list[str], data: st.DataObject
) -> None:
    lines = tuple(OrderLine(product, data.draw(st.integers(1, 3)), 100, 100, 100) for product in products)
    stood = Order(
        "paid",
        OrderPlaced(order="o", member="ada", session=None, cart=None, currency="USD", lines=lines, tax=0, at=0),
        (0,) * len(lines),
        (0,) * len(lines),
    )
    left = [line.quantity for line in lines]
    asked, expected = [], []
    while any(left) and data.draw(st.booleans()):
        index = data.draw(st.sampled_from([index for index, units in enumerate(left) if units]))
        if data.draw(st.booleans()):
            asked.append(RefundLineItem(line=index + 1))
        else:
            asked.append(RefundLineItem(product=products[index]))
            index = next(other for other, units in enumerate(left) if units and products[other] == products[index])
        left[index] -= 1
        expected.append((index + 1, 1))
    assert [(part.line, part.quantity) for part in resolved(tuple(asked), stood)] == expected


def test_refunds_of_thousands_of_parts_take_linear_time() -> None:
    many = 8000  # of a quadratic search nobody would see the end
    lines = tuple(OrderLine("tea", 1, 100, 100, 100) for _ in range(many))
    stood = Order(
        "paid",
        OrderPlaced(order="o", member="ada", session=None, cart=None, currency="USD", lines=lines, tax=0, at=0),
        (0,) * many,
        (0,) * many,
    )
    found = list(resolved((RefundLineItem(product="tea", quantity=1),) * many, stood))
    assert [part.line for part in found] == [*range(1, many + 1)]
    (first, *_) = resolved((RefundLineItem(product="tea", quantity=many, total=many),), stood)
    assert (first.line, first.quantity, first.total) == (1, 1, 1)
