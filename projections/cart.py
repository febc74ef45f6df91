"""The cart that a member, or a guest's session, has open now.

It is gone once it is checked out or merged into another, and when its member closes the membership or is erased.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias, assert_never

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
    if isinstance(event, MemberClosed | MemberErased):
        return None
    if isinstance(event, CartOpened):
        return CartView(event.cart, event.member, event.session, event.at, as_of=event.at, position=position)
    if view is None or view.cart != event.cart:
        return view  # an older cart, which this one has replaced
    view = replace(view, as_of=event.at, position=position)
    match event:
        case CartAbandoned():
            return replace(view, abandoned_at=event.at)
        case CartResumed():
            return replace(view, abandoned_at=None)
        case CartReceived():
            items, saved = of_content(event.items), of_content(event.saved)
            return replace(view, items=items, saved=saved, abandoned_at=None, codes=event.codes)
        case CartCodeEntered():
            return replace(view, codes=(*view.codes, event.code)) if event.code else view
        case CartCodeRemoved():
            return replace(view, codes=tuple(code for code in view.codes if code != event.code))
        case CartCheckedOut() | CartMerged():
            return None
        case _:
            return with_items(view, event)


def with_items(view: CartView, event: OfItems) -> CartView:
    match event:
        case CartItemAdded():
            return replace(view, items=add_item(view.items, CartItem(event.product, event.quantity, event.price)))
        case CartItemQuantityChanged():
            items = tuple(replace(i, quantity=event.quantity) if i.product == event.product else i for i in view.items)
            return replace(view, items=items)
        case CartItemRemoved():
            return replace(view, items=without(view.items, event.product))
        case CartItemSavedForLater():
            return replace(view, items=without(view.items, event.product), saved=moved(view.items, view.saved, event.product))
        case CartItemRestored():
            return replace(view, items=moved(view.saved, view.items, event.product), saved=without(view.saved, event.product))
        case _:
            assert_never(event)


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
    for index, item in enumerate(items):
        if item.product == added.product:
            more = CartItem(added.product, item.quantity + added.quantity, added.price)
            return (*items[:index], more, *items[index + 1 :])
    return (*items, added)


def cart_key(event: Event) -> str:
    if event.member is None:
        return f"guest-cart:{event.session}"
    return f"cart:{event.member}"


cart = one_document(
    "cart", 2, {"cart": CartView, "guest-cart": CartView}, Event.__args__, cart_key, project, makes=[CartOpened]
)
