"""The cart that a member, or a guest's session, has open now.

It is gone once it is checked out or merged into another, and when its member closes the membership or is erased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from aggregates.cart_events import (
    CartAbandoned,
    CartCheckedOut,
    CartCodeEntered,
    CartCodeRemoved,
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
from aggregates.member import MemberClosed, MemberErased
from aggregates.value import Value, replace
from projections.projection import one_document


class CartItem(Value):
    """``price``: the unit price shown when it was last added, in minor units."""

    product: str
    quantity: int
    price: int | None


class CartView(Value):
    """``saved``: put aside for later. ``abandoned_at``: since when nothing has changed for long, None of a cart in use.

    ``codes``: those that the shopper entered.
    """

    cart: str
    member: str | None
    session: str | None
    opened_at: int
    items: tuple[CartItem, ...] = ()
    as_of: int = 0
    position: int = 0
    saved: tuple[CartItem, ...] = ()
    abandoned_at: int | None = None
    codes: tuple[str, ...] = ()


OfItems: TypeAlias = CartItemAdded | CartItemQuantityChanged | CartItemRemoved | CartItemSavedForLater | CartItemRestored
OfLife: TypeAlias = CartOpened | CartCheckedOut | CartAbandoned | CartResumed | CartMerged | CartReceived
OfCodes: TypeAlias = CartCodeEntered | CartCodeRemoved
Event: TypeAlias = OfLife | OfItems | OfCodes | MemberClosed | MemberErased


def project(view: CartView | None, event: Event, position: int) -> CartView | None:
    kind = type(event)
    if kind in GONE:
        return None
    if isinstance(event, CartOpened):
        return CartView(event.cart, event.member, event.session, event.at, as_of=event.at, position=position)
    if view is None or view.cart != event.cart:  # type: ignore[union-attr]
        return view  # an older cart, which this one has replaced
    if kind in ENDED:
        return None
    return replace(view, as_of=event.at, position=position, **CHANGES[kind](view, event))


def add_one(view: CartView, event: CartItemAdded) -> Changed:
    return {"items": add_item(view.items, CartItem(event.product, event.quantity, event.price))}


def set_quantity(view: CartView, event: CartItemQuantityChanged) -> Changed:
    return {"items": tuple(replace(i, quantity=event.quantity) if i.product == event.product else i for i in view.items)}


def save_for_later(view: CartView, event: CartItemSavedForLater) -> Changed:
    return {"items": without(view.items, event.product), "saved": moved(view.items, view.saved, event.product)}


def restore(view: CartView, event: CartItemRestored) -> Changed:
    return {"items": moved(view.saved, view.items, event.product), "saved": without(view.saved, event.product)}


def receive(_: CartView, event: CartReceived) -> Changed:
    return {"items": of_content(event.items), "saved": of_content(event.saved), "abandoned_at": None, "codes": event.codes}


def enter_code(view: CartView, event: CartCodeEntered) -> Changed:
    return {"codes": (*view.codes, event.code)} if event.code else {}


def remove_code(view: CartView, event: CartCodeRemoved) -> Changed:
    return {"codes": tuple(code for code in view.codes if code != event.code)}


Changed: TypeAlias = dict[str, Any]
"""The fields that an event changes."""

GONE: frozenset[type] = frozenset((MemberClosed, MemberErased))
ENDED: frozenset[type] = frozenset((CartCheckedOut, CartMerged))

CHANGES: dict[type, Callable[[CartView, Any], Changed]] = {
    CartItemAdded: add_one,
    CartItemQuantityChanged: set_quantity,
    CartItemRemoved: lambda view, event: {"items": without(view.items, event.product)},
    CartItemSavedForLater: save_for_later,
    CartItemRestored: restore,
    CartAbandoned: lambda _, event: {"abandoned_at": event.at},
    CartResumed: lambda *_: {"abandoned_at": None},
    CartReceived: receive,
    CartCodeEntered: enter_code,
    CartCodeRemoved: remove_code,
}


def of_content(content: Iterable[CartContent]) -> tuple[CartItem, ...]:
    return tuple(CartItem(one.product, one.quantity, one.price) for one in content)


def without(items: tuple[CartItem, ...], product: str) -> tuple[CartItem, ...]:
    return tuple(item for item in items if item.product != product)


def moved(source: tuple[CartItem, ...], target: tuple[CartItem, ...], product: str) -> tuple[CartItem, ...]:
    """Return the target with the units that the source has of a product."""
    for item in source:
        if item.product == product:
            target = add_item(target, item)
    return target


def add_item(items: tuple[CartItem, ...], added: CartItem) -> tuple[CartItem, ...]:
    products = [item.product for item in items]
    if added.product not in products:
        return (*items, added)
    index = products.index(added.product)
    more = CartItem(added.product, items[index].quantity + added.quantity, added.price)
    return (*items[:index], more, *items[index + 1 :])


def cart_key(event: Event) -> str:
    if event.member is None:
        return f"guest-cart:{event.session}"
    return f"cart:{event.member}"


cart = one_document(
    "cart", 2, {"cart": CartView, "guest-cart": CartView}, Event.__args__, cart_key, project, makes=[CartOpened]
)
