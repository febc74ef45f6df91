"""The cart that a member, or a guest's session, has open now. It is gone once it is checked out or abandoned.

So it is once its member closes the membership, or is erased.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from aggregates.cart import CartAbandoned, CartCheckedOut, CartItemAdded, CartItemQuantityChanged, CartItemRemoved, CartOpened
from aggregates.member import MemberClosed, MemberErased
from aggregates.value import Value, replace
from projections.projection import one_document


class CartItem(Value):
    """``price``: the unit price shown when it was last added, in minor units."""

    product: str
    quantity: int
    price: int | None


class CartView(Value):
    cart: str
    member: str | None
    session: str | None
    opened_at: int
    items: tuple[CartItem, ...] = ()
    as_of: int = 0
    position: int = 0


Event: TypeAlias = (
    CartOpened
    | CartItemAdded
    | CartItemQuantityChanged
    | CartItemRemoved
    | CartCheckedOut
    | CartAbandoned
    | MemberClosed
    | MemberErased
)


def project(view: CartView | None, event: Event, position: int) -> CartView | None:
    if isinstance(event, MemberClosed | MemberErased):
        return None
    if isinstance(event, CartOpened):
        return CartView(event.cart, event.member, event.session, event.at, as_of=event.at, position=position)
    if view is None or view.cart != event.cart:
        return view  # an older cart, which this one has replaced
    match event:
        case CartItemAdded():
            return with_items(view, add_item(view.items, event), event.at, position)
        case CartItemQuantityChanged():
            items = tuple(replace(i, quantity=event.quantity) if i.product == event.product else i for i in view.items)
            return with_items(view, items, event.at, position)
        case CartItemRemoved():
            return with_items(view, tuple(i for i in view.items if i.product != event.product), event.at, position)
        case CartCheckedOut() | CartAbandoned():
            return None
        case _:
            assert_never(event)


def with_items(view: CartView, items: tuple[CartItem, ...], at: int, position: int) -> CartView:
    return CartView(view.cart, view.member, view.session, view.opened_at, items, at, position)


def add_item(items: tuple[CartItem, ...], event: CartItemAdded) -> tuple[CartItem, ...]:
    for index, item in enumerate(items):
        if item.product == event.product:
            more = CartItem(event.product, item.quantity + event.quantity, event.price)
            return (*items[:index], more, *items[index + 1 :])
    return (*items, CartItem(event.product, event.quantity, event.price))


def cart_key(event: Event) -> str:
    if event.member is None:
        return f"guest-cart:{event.session}"
    return f"cart:{event.member}"


cart = one_document(
    "cart", 1, {"cart": CartView, "guest-cart": CartView}, Event.__args__, cart_key, project, makes=[CartOpened]
)
