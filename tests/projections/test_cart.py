from __future__ import annotations

from typing import Any

from aggregates.cart_events import (
    CartAbandoned,
    CartCheckedOut,
    CartContent,
    CartItemAdded,
    CartItemQuantityChanged,
    CartItemRemoved,
    CartItemRestored,
    CartItemSavedForLater,
    CartMerged,
    CartOpened,
    CartReceived,
    CartResumed,
)
from aggregates.member import MemberErased
from projections.cart import CartItem, CartView, cart
from tests.projections.folding import folded, removed

WHOSE: dict[str, Any] = {"cart": "c", "member": "m", "session": "s"}
OPENED = CartOpened(**WHOSE, at=1)
TEA = CartItemAdded(**WHOSE, product="tea", quantity=2, price=599, at=2)
MILK = CartItemAdded(**WHOSE, product="milk", quantity=1, price=None, at=3)


def items(*events: object) -> dict[str, tuple[int, int | None]]:
    view = folded(cart, *events)["cart:m"]
    assert isinstance(view, CartView)
    return {item.product: (item.quantity, item.price) for item in view.items}


def test_an_opened_cart_is_empty() -> None:
    assert folded(cart, OPENED) == {"cart:m": CartView("c", "m", "s", opened_at=1, items=(), as_of=1, position=1)}


def test_items_are_in_the_order_they_were_first_added() -> None:
    more = CartItemAdded(**WHOSE, product="tea", quantity=3, price=549, at=4)
    shown = (CartItem("tea", 5, 549), CartItem("milk", 1, None))
    assert folded(cart, OPENED, TEA, MILK, more) == {
        "cart:m": CartView("c", "m", "s", opened_at=1, items=shown, as_of=4, position=4)
    }


def test_a_changed_quantity_keeps_the_price_that_was_shown() -> None:
    assert items(OPENED, TEA, MILK, CartItemQuantityChanged(**WHOSE, product="tea", quantity=9, at=4)) == {
        "tea": (9, 599),
        "milk": (1, None),
    }


def test_a_removed_item_is_gone() -> None:
    assert items(OPENED, TEA, MILK, CartItemRemoved(**WHOSE, product="tea", at=4)) == {"milk": (1, None)}


def test_a_cart_that_was_checked_out_is_gone() -> None:
    assert removed(folded(cart, OPENED, TEA, CartCheckedOut(**WHOSE, items=(("tea", 2),), at=4))) == {"cart:m"}


def view_of(*given: Any) -> Any:
    return folded(*given)["cart:m"]


def test_a_cart_that_was_abandoned_says_so_until_it_is_resumed() -> None:
    abandoned, resumed = CartAbandoned(**WHOSE, at=4), CartResumed(**WHOSE, at=5)
    assert view_of(cart, OPENED, TEA, abandoned).abandoned_at == 4
    assert view_of(cart, OPENED, TEA, abandoned, resumed).abandoned_at is None


def test_what_is_saved_for_later_is_apart_and_comes_back() -> None:
    saved = CartItemSavedForLater(**WHOSE, product="tea", at=4)
    view = view_of(cart, OPENED, TEA, saved)
    assert (view.items, [item.product for item in view.saved]) == ((), ["tea"])
    back = CartItemRestored(**WHOSE, product="tea", at=5)
    view = view_of(cart, OPENED, TEA, saved, back)
    assert ([item.product for item in view.items], view.saved) == (["tea"], ())


def test_a_merged_cart_is_gone_and_the_other_holds_both() -> None:
    content = (CartContent("cup", 3, 200, 1),)
    merged = CartMerged(**WHOSE, into="d", of="m", items=content, saved=(), at=4)
    assert removed(folded(cart, OPENED, TEA, merged)) == {"cart:m"}
    received = CartReceived(**WHOSE, guest_cart="g", items=content, saved=(), strategy="replace", at=4)
    view = view_of(cart, OPENED, TEA, received)
    assert [(item.product, item.quantity, item.price) for item in view.items] == [("cup", 3, 200)]


def test_a_guests_cart_is_found_by_the_session() -> None:
    guest: dict[str, Any] = {"cart": "c", "member": None, "session": "s"}
    view = folded(cart, CartOpened(**guest, at=1), CartItemAdded(**guest, product="tea", quantity=1, price=None, at=2))
    assert view == {"guest-cart:s": CartView("c", None, "s", 1, (CartItem("tea", 1, None),), as_of=2, position=2)}


def test_a_session_with_a_members_id_has_its_own_cart() -> None:
    guest: dict[str, Any] = {"cart": "g", "member": None, "session": "m"}
    theirs = (CartOpened(**guest, at=5), CartItemAdded(**guest, product="rice", quantity=1, price=None, at=6))
    view = folded(cart, OPENED, TEA, *theirs, CartCheckedOut(**guest, items=(("rice", 1),), at=7))
    assert view == folded(cart, OPENED, TEA) | {"guest-cart:m": None}
    erased = folded(cart, OPENED, *theirs, MemberErased("m", at=9))
    assert removed(erased) == {"cart:m"}


def test_a_newer_cart_takes_the_place_of_an_older_one() -> None:
    newer = CartOpened(cart="d", member="m", session="s", at=5)
    view = folded(cart, OPENED, TEA, newer)
    assert view == {"cart:m": CartView("d", "m", "s", opened_at=5, as_of=5, position=3)}


def test_events_of_an_older_cart_change_nothing() -> None:
    newer = CartOpened(cart="d", member="m", session="s", at=5)
    ends = (CartCheckedOut(**WHOSE, items=(("tea", 2),), at=6), CartAbandoned(**WHOSE, at=7))
    late = (
        MILK,
        CartItemQuantityChanged(**WHOSE, product="tea", quantity=9, at=6),
        CartItemRemoved(**WHOSE, product="tea", at=6),
    )
    assert folded(cart, OPENED, TEA, newer, *late, *ends) == folded(cart, OPENED, TEA, newer)


def test_items_of_an_unknown_cart_are_ignored() -> None:
    assert folded(cart, TEA, CartItemRemoved(**WHOSE, product="tea", at=4), CartCheckedOut(**WHOSE, items=(), at=5)) == {}


def test_an_erased_member_has_no_cart() -> None:
    view = folded(cart, OPENED, TEA, CartOpened(cart="d", member="n", session=None, at=5), MemberErased("m", at=9))
    assert removed(view) == {"cart:m"}
    assert set(view) == {"cart:m", "cart:n"}
