"""Running carts: opened by the first thing put in, closed by the order, and opened anew."""

from __future__ import annotations

from typing import Any

from aggregates.cart import CartCheckedOut, CartOpened
from streams.queries import views as reading
from streams.running.app import App
from tests.streams.imports.lines import Line, document, entry, events, import_lines, item, order


def add(minute: float, product: str, /, **told_besides: Any) -> Line:
    return entry("add_to_cart", minute, product_id=product, **{"member_id": "ada", **told_besides})


def remove(minute: float, product: str, /, **told_besides: Any) -> Line:
    return entry("remove_from_cart", minute, product_id=product, **{"member_id": "ada", **told_besides})


def held(app: App, key: str = "cart:ada") -> dict[str, int] | None:
    found = reading.document(app.views, key)
    return None if found is None else {entry["product"]: entry["quantity"] for entry in found["items"]}


def test_additions_sum_and_a_part_can_be_removed(app: App) -> None:
    assert import_lines(app, add(0, "tea", quantity=3), add(1, "tea"), add(2, "milk"), remove(3, "tea")).outcome == (4, 0, 0)
    assert held(app) == {"tea": 3, "milk": 1}


def test_removing_more_than_there_is_removes_all(app: App) -> None:
    result = import_lines(
        app, remove(0, "tea"), add(1, "tea"), remove(2, "milk"), remove(3, "tea", quantity=9), remove(4, "tea")
    )
    assert (result.outcome, held(app)) == ((5, 0, 0), {})


def test_an_order_closes_the_cart_and_the_next_addition_opens_a_new_one(app: App) -> None:
    import_lines(app, add(0, "tea"), add(1, "milk"), order("o", 2, item("tea", total=1), member_id="ada"))
    assert held(app) is None
    assert [event.items for event in events(app, CartCheckedOut)] == [(("tea", 1), ("milk", 1))]
    assert document(app, "order:o")["cart"] is not None
    import_lines(app, add(3, "rice"))
    assert held(app) == {"rice": 1}
    assert len(events(app, CartOpened)) == 2


def test_a_known_order_closes_no_cart(app: App) -> None:
    bought = order("o", 0, member_id="ada")
    import_lines(app, bought, add(1, "tea"))
    assert import_lines(app, bought, {**bought, "coupons": ["X"]}).codes == [(2, "id_taken")]
    assert held(app) == {"tea": 1}


def test_an_order_without_a_cart_has_none(app: App) -> None:
    import_lines(
        app, add(0, "tea"), remove(1, "tea"), order("o", 2, member_id="ada"), order("p", 3, member_id="bob"), order("q", 4)
    )
    assert document(app, "order:o")["cart"] is None
    assert document(app, "order:p")["cart"] is None
    assert held(app) == {}


def test_a_guest_has_a_cart_until_they_are_known(app: App) -> None:
    guest: Line = {"member_id": None, "session_id": "s"}
    import_lines(app, add(0, "tea", **guest), add(1, "milk", session_id="s"), add(2, "rice", **guest))
    assert held(app, "guest-cart:s") == {"tea": 1}
    assert held(app) == {"milk": 1, "rice": 1}


def test_a_shopper_may_name_several_carts_but_not_anothers(app: App) -> None:
    result = import_lines(
        app,
        add(0, "tea", cart="list"),
        add(1, "milk"),
        add(2, "rice", cart="list", member_id="bob"),
        order("o", 3, member_id="ada", cart="list"),
        add(4, "rice", cart="list"),
    )
    assert result.codes == [(3, "cart_anothers"), (5, "cart_exists")]
    assert document(app, "order:o")["cart"] == "list"
    assert [event.cart for event in events(app, CartCheckedOut)] == ["list"]


def test_more_than_a_cart_can_hold_is_rejected(app: App) -> None:
    most = [add(n, "tea", quantity=10**9, id=n) for n in range(1, 4)]
    assert import_lines(app, *most, add(5, "tea", quantity=10**9 + 1)).codes == [(4, "quantity_invalid")]
    assert held(app) == {"tea": 3 * 10**9}
