"""Running carts: opened by the first thing put in, closed by the order, and opened anew."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.cart import (
    AddToCart,
    OpenCart,
)
from aggregates.cart_events import (
    CartCheckedOut,
    CartOpened,
)
from streams.commands.request import Request
from streams.exports.shop_log.lines import cart_name
from streams.imports.shop_log.lines import Shopper
from streams.imports.shop_log.plans import cart_named, running_cart, use_of
from streams.queries import views as reading
from streams.running.app import App
from tests.streams.imports.lines import START, Line, document, entry, events, import_lines, item, order


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


@pytest.mark.parametrize("theirs_first", [True, False])
def test_a_cart_that_a_shop_names_like_a_running_cart_is_another_cart(app: App, theirs_first: bool) -> None:
    named, running = add(1, "tea", member_id="7", cart="m.42"), add(2, "secret", member_id="42")
    placed = order("1", 3, item("secret", total=5), member_id="42")
    lines = [named, running, placed] if theirs_first else [running | {"at": START}, named, placed]
    assert import_lines(app, *lines).outcome == (3, 0, 0)
    assert [(event.cart, event.items) for event in events(app, CartCheckedOut)] == [("m.42", (("secret", 1),))]
    assert held(app, "cart:7") == {"tea": 1}
    assert import_lines(app, add(4, "milk", member_id="7", cart="m.42")).outcome == (1, 0, 0)
    assert held(app, "cart:7") == {"tea": 1, "milk": 1}


def test_a_running_cart_gives_way_to_a_cart_that_a_program_named_like_it(app: App) -> None:
    given = (OpenCart("m.42", START, "7"), AddToCart("m.42", "tea", START))
    assert app.handler.handle(Request("program", given)).accepted
    assert import_lines(app, add(1, "secret", member_id="42"), add(2, "milk", member_id="42")).outcome == (2, 0, 0)
    assert import_lines(app, order("1", 3, item("secret", total=5), member_id="42")).outcome == (1, 0, 0)
    assert [event.items for event in events(app, CartCheckedOut)] == [(("secret", 1), ("milk", 1))]
    assert held(app, "cart:7") == {"tea": 1}


def test_an_order_closes_nobody_elses_cart(app: App) -> None:
    import_lines(app, add(0, "tea", cart="c-1"), order("o", 1, item("tea", total=1), member_id="bob", cart="c-1"))
    assert held(app) == {"tea": 1}


@given(st.sets(st.text("msc.#/%12", min_size=1, max_size=6), min_size=2, max_size=2), st.text("c.", max_size=4))
def test_two_names_of_carts_stay_apart_and_never_name_a_running_cart(names: set[str], start: str) -> None:
    one, other = (start + name for name in sorted(names))
    assert cart_named(one) != cart_named(other)
    assert not {cart_named(one)} & {running_cart(Shopper(other)), running_cart(Shopper(None, other))}
    assert cart_name(cart_named(one)) == one


@given(st.tuples(*[st.text("o/%2F1", min_size=1, max_size=6)] * 4))
def test_uses_of_different_orders_or_coupons_have_different_names(names: tuple[str, str, str, str]) -> None:
    order_id, coupon, another, other_coupon = names
    if (order_id, coupon) != (another, other_coupon):
        assert use_of(order_id, coupon) != use_of(another, other_coupon)
    assert use_of(order_id) != use_of(another, coupon)
