"""A cart: what a member, or the session of a guest, means to buy. It is open until it is checked out or abandoned.

Prices are minor units; ``at`` is UTC epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import groupby
from typing import Annotated, Any, TypeAlias, assert_never, cast

from aggregates.decider import Context, Decider, Refusal, require_count, require_shopper
from aggregates.fields import CartId, Count, Instant, MemberId, ProductId, SessionId
from aggregates.value import Value

Quantity: TypeAlias = Annotated[int, Count("quantity", least=1)]

# Commands


class OpenCart(Value):
    """Open a cart. ``anew`` opens a shopper's one cart again after it was closed."""

    cart: CartId
    at: Instant
    member: MemberId | None = None
    session: SessionId | None = None
    anew: bool = False


class AddToCart(Value):
    """Add units of a product. ``price`` is the unit price that was shown, if any."""

    cart: CartId
    product: ProductId
    at: Instant
    quantity: Quantity = 1
    price: Annotated[int, Count("price")] | None = None


class ChangeQuantity(Value):
    cart: CartId
    product: ProductId
    quantity: Annotated[int, Count("quantity")]
    at: Instant


class RemoveFromCart(Value):
    """Remove units of a product; all of them, if ``quantity`` is None."""

    cart: CartId
    product: ProductId
    at: Instant
    quantity: Quantity | None = None


class CheckOutCart(Value):
    cart: CartId
    at: Instant


class AbandonCart(Value):
    cart: CartId
    at: Instant


Command: TypeAlias = OpenCart | AddToCart | ChangeQuantity | RemoveFromCart | CheckOutCart | AbandonCart


class CartOpened(Value, kw_only=True):
    cart: str
    member: str | None
    session: str | None
    at: int


class CartItemAdded(Value, kw_only=True):
    """``quantity`` units were added to those that were there."""

    cart: str
    member: str | None
    session: str | None
    product: str
    quantity: int
    price: int | None
    at: int


class CartItemQuantityChanged(Value, kw_only=True):
    cart: str
    member: str | None
    session: str | None
    product: str
    quantity: int
    at: int


class CartItemRemoved(Value, kw_only=True):
    cart: str
    member: str | None
    session: str | None
    product: str
    at: int


class CartCheckedOut(Value, kw_only=True):
    """``items``: products with their quantities, in the order they were first added."""

    cart: str
    member: str | None
    session: str | None
    items: tuple[tuple[str, int], ...]
    at: int


class CartAbandoned(Value, kw_only=True):
    cart: str
    member: str | None
    session: str | None
    at: int


Event: TypeAlias = CartOpened | CartItemAdded | CartItemQuantityChanged | CartItemRemoved | CartCheckedOut | CartAbandoned


@dataclass(frozen=True)
class Cart:
    status: str = "unknown"  # unknown, open, checked_out, abandoned
    member: str | None = None
    session: str | None = None
    items: Mapping[str, int] = field(default_factory=dict)


def decide(command: Command, cart: Cart, _: Context) -> list[Event]:
    if isinstance(command, OpenCart):
        return open_cart(command, cart)
    if isinstance(command, CheckOutCart) and cart.status == "checked_out":
        return []
    if isinstance(command, AbandonCart) and cart.status == "abandoned":
        return []
    require_open(cart)
    match command:
        case AddToCart():
            require_count("quantity", command.quantity + cart.items.get(command.product, 0))
            return [
                CartItemAdded(
                    cart=command.cart,
                    member=cart.member,
                    session=cart.session,
                    product=command.product,
                    quantity=command.quantity,
                    price=command.price,
                    at=command.at,
                )
            ]
        case ChangeQuantity():
            return change_quantity(command, cart)
        case RemoveFromCart():
            return remove(command, cart)
        case CheckOutCart():
            if not cart.items:
                raise Refusal("cart_empty", "An empty cart cannot be checked out.")
            return [
                CartCheckedOut(
                    cart=command.cart, member=cart.member, session=cart.session, items=tuple(cart.items.items()), at=command.at
                )
            ]
        case AbandonCart():
            return [CartAbandoned(cart=command.cart, member=cart.member, session=cart.session, at=command.at)]
        case _:
            assert_never(command)


def open_cart(command: OpenCart, cart: Cart) -> list[Event]:
    require_shopper(command.member, command.session)
    if cart.status == "unknown" or (command.anew and cart.status != "open"):
        return [CartOpened(cart=command.cart, member=command.member, session=command.session, at=command.at)]
    if cart.status == "open" and (cart.member, cart.session) == (command.member, command.session):
        return []
    raise Refusal("cart_exists", "A cart with this id was opened before.")


def change_quantity(command: ChangeQuantity, cart: Cart) -> list[Event]:
    held = cart.items.get(command.product)
    if held is None:
        raise Refusal("item_unknown", "This product is not in the cart.")
    if command.quantity == held:
        return []
    if command.quantity == 0:
        return [
            CartItemRemoved(cart=command.cart, member=cart.member, session=cart.session, product=command.product, at=command.at)
        ]
    return [
        CartItemQuantityChanged(
            cart=command.cart,
            member=cart.member,
            session=cart.session,
            product=command.product,
            quantity=command.quantity,
            at=command.at,
        )
    ]


def remove(command: RemoveFromCart, cart: Cart) -> list[Event]:
    held = cart.items.get(command.product)
    if held is None:
        return []
    if command.quantity is not None and command.quantity < held:
        return [
            CartItemQuantityChanged(
                cart=command.cart,
                member=cart.member,
                session=cart.session,
                product=command.product,
                quantity=held - command.quantity,
                at=command.at,
            )
        ]
    return [
        CartItemRemoved(cart=command.cart, member=cart.member, session=cart.session, product=command.product, at=command.at)
    ]


def require_open(cart: Cart) -> None:
    if cart.status == "unknown":
        raise Refusal("cart_unknown", "No cart has this id; open it first.")
    if cart.status != "open":
        raise Refusal("cart_closed", f"This cart is {cart.status.replace('_', ' ')}.")


def evolve(cart: Cart, event: Event) -> Cart:
    match event:
        case CartItemAdded():
            return with_added(cart, (event,))
        case CartItemQuantityChanged():
            return replace(cart, items={**cart.items, event.product: event.quantity})
        case CartItemRemoved():
            return replace(cart, items={p: n for p, n in cart.items.items() if p != event.product})
        case CartOpened():
            return Cart("open", event.member, event.session)
        case CartCheckedOut():
            return Cart("checked_out", cart.member, cart.session, cart.items)
        case CartAbandoned():
            return replace(cart, status="abandoned")
        case _:
            assert_never(event)


def with_added(cart: Cart, added: Iterable[CartItemAdded]) -> Cart:
    items = dict(cart.items)
    for event in added:
        items[event.product] = items.get(event.product, 0) + event.quantity
    return Cart(cart.status, cart.member, cart.session, items)


def replay(events: Iterable[Event]) -> Cart:
    """Return the state after all events. A run of additions copies the items once, so that a long cart costs no square."""
    cart = Cart()
    for kind, run in groupby(events, type):
        fold = with_added if kind is CartItemAdded else evolve_all
        cart = fold(cart, cast("Iterable[Any]", run))
    return cart


def evolve_all(cart: Cart, events: Iterable[Event]) -> Cart:
    return reduce(evolve, events, cart)


cart = Decider("cart", Cart(), decide, evolve, replay)
