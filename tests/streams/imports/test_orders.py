"""Orders: what they cost, how far they have come, and what cancels them."""

from __future__ import annotations

import pytest

from aggregates.order.events import OrderCancelled, OrderPlaced
from aggregates.session import SessionJoined
from streams.queries import views as reading
from streams.running.app import App
from tests.streams.imports.lines import Line, another, document, entry, events, import_lines, item, order


def costs(app: App, name: str) -> list[tuple[int, int]]:
    """Of each line, before and after its discount."""
    return [(line["gross"], line["total"]) for line in document(app, f"order:{name}")["lines"]]


def test_a_lines_own_price_wins_over_the_products(app: App) -> None:
    tea = entry("product", 0, product_id="tea", price="2.00")
    lines = [item("tea", total="1.50"), item("tea", quantity=2, unit_price="1.10", discount="0.20"), item("tea", quantity=3)]
    import_lines(app, tea, order("o", 1, *lines, member_id="ada"))
    assert costs(app, "o") == [(150, 150), (220, 200), (600, 600)]


def test_a_line_without_price_takes_the_products_price_at_that_point_of_the_file(app: App) -> None:
    prices = [entry("product", n, product_id="tea", price=price) for n, price in enumerate((1, 2, 3))]
    lines: list[Line] = []
    for n, price in enumerate(prices):
        lines += [price, order(f"o{n}", 5, item("tea"), member_id="ada")]
    import_lines(app, *lines)
    assert [costs(app, f"o{n}") for n in range(3)] == [[(100, 100)], [(200, 200)], [(300, 300)]]


def test_a_discount_may_not_exceed_the_products_price(app: App) -> None:
    tea = entry("product", 0, product_id="tea", price="2.00")
    good = order("o", 1, item("tea", discount="2.00"), member_id="ada")
    assert import_lines(app, tea, good, order("p", 2, item("tea", discount="2.01"))).codes == [(3, "total_negative")]
    assert costs(app, "o") == [(200, 0)]


def test_an_unpriced_line_brings_neither_sales_nor_points_and_is_counted(app: App) -> None:
    mixed = order("o", 0, item("tea"), item("milk", total=1), item("rice", quantity=2), member_id="ada")
    result = import_lines(app, mixed, order("p", 1, item("tea"), member_id="ada"), mixed)
    assert (result.counts.unpriced, result.outcome) == (3, (2, 1, 0))
    assert document(app, "card:ada")["pending"] == 1
    assert reading.sales_totals(app.views)["total"] == 100
    assert app.views.hashes(["product:rice"])["product:rice"]["units"] == "2"
    assert "rice" in {entry["product"] for entry in document(app, "recommend:ada")["items"]}, "it teaches the recommender"


def test_a_total_is_rounded_once_half_to_even(app: App) -> None:
    prices = [("0.125", 1), ("0.135", 1), ("0.005", 5), ("0.333333", 3)]
    import_lines(app, order("o", 0, *(item("tea", quantity=n, unit_price=price) for price, n in prices), member_id="ada"))
    assert [total for _, total in costs(app, "o")] == [12, 14, 2, 100]


def test_free_lines_adjustments_and_repeated_products_are_accepted(app: App) -> None:
    lines = [item("tea", total=0), item("tea", total="1.00"), item("tea", quantity=0, total="0.30")]
    assert import_lines(app, order("o", 0, *lines, member_id="ada")).outcome == (1, 0, 0)
    assert [line["quantity"] for line in document(app, "order:o")["lines"]] == [1, 1, 0]
    assert app.views.hashes(["product:tea"])["product:tea"]["orders"] == "1"


@pytest.mark.parametrize(("currency", "total", "units"), [("JPY", "90", 90), ("KWD", "1.234", 1234), ("EUR", "1.2300", 123)])
def test_money_is_in_the_shops_currency(valkey_url: str, currency: str, total: str, units: int) -> None:
    with another(valkey_url, currency=currency) as app:
        too_precise = order("p", 0, item("tea", total=f"{total}.5" if "." not in total else f"{total}5"))
        result = import_lines(app, order("o", 0, item("tea", total=total), member_id="ada"), too_precise)
        assert (costs(app, "o"), result.codes) == ([(units, units)], [(2, "money_too_precise")])
        assert document(app, "order:o")["currency"] == currency


@pytest.mark.parametrize("status", ["placed", "paid", "shipped", "delivered", None])
def test_an_order_takes_every_step_up_to_its_status(app: App, status: str | None) -> None:
    told_so = {} if status is None else {"status": status}
    import_lines(app, order("o", 0, member_id="ada", session_id="s", **told_so))
    assert document(app, "order:o")["status"] == (status or "delivered")
    assert len(events(app, SessionJoined)) == 1


def test_a_status_that_an_order_has_passed_is_a_duplicate(app: App) -> None:
    steps = ["paid", "paid", "delivered", "shipped", "placed", "delivered"]
    lines = [entry("order_status", n, order_id="o", status=status) for n, status in enumerate(steps, 1)]
    result = import_lines(
        app, order("o", 0, member_id="ada", status="placed"), *lines, entry("order_status", 9, order_id="x", status="paid")
    )
    assert (result.outcome, result.codes) == ((3, 4, 1), [(8, "order_unknown")])
    view = document(app, "order:o")
    assert view["status"] == "delivered"
    assert [view[f"{step}_at"] - view["placed_at"] for step in ("paid", "delivered")] == [60_000, 180_000]


def test_an_order_is_cancelled_once_at_any_status(app: App) -> None:
    steps = ("placed", "paid", "shipped", "delivered")
    orders = [order(status, 0, member_id="ada", status=status) for status in steps]
    cancels = [entry("cancel", 1, order_id=status, reason="changed my mind") for status in steps]
    again = [entry("cancel", 2, order_id=status) for status in steps]
    result = import_lines(app, *orders, *cancels, *again, entry("cancel", 3, order_id="x"))
    assert (result.outcome, result.codes) == ((8, 4, 1), [(13, "order_unknown")])
    totals = reading.sales_totals(app.views)
    assert (totals["gross"], totals["cancelled"], totals["refunded"]) == (1500, 1500, 0)
    card = document(app, "card:ada")
    assert (card["points"], card["pending"], card["balance"]) == (0, 0, 0)


def test_cancelling_what_was_refunded_in_part_gives_back_the_rest(app: App) -> None:
    result = import_lines(
        app,
        order("o", 0, item("tea", quantity=2, total="4.00"), member_id="ada"),
        entry("refund", 1, order_id="o", lines=[{"line": 1}]),
        entry("cancel", 2, order_id="o"),
        entry("refund", 3, order_id="o"),
    )
    assert result.codes == [(4, "nothing_left")]
    assert [line.paid for event in events(app, OrderCancelled) for line in event.lines] == [200]
    totals = reading.sales_totals(app.views)
    assert (totals["gross"], totals["cancelled"], totals["refunded"]) == (400, 200, 200)


def test_coupons_of_an_order_are_kept_with_it(app: App) -> None:
    import_lines(app, order("o", 0, member_id="ada", coupons=["A", "A", "B"]), order("p", 1, coupons=["A"]))
    assert [event.coupons for event in events(app, OrderPlaced)] == [("A", "A", "B"), ("A",)]
