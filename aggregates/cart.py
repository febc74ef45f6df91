"""The decisions on a cart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import groupby
from typing import Any, TypeAlias, assert_never, cast

from aggregates.decider import Context, Decider, Refusal, require_count, require_id, require_shopper
from aggregates.value import Value


class OpenCart(Value):
    """``anew``: a shopper's one cart, which may be opened again once it is closed."""

    cart: str
    at: int
    member: str | None = None
    session: str | None = None
    anew: bool = False


class AddToCart(Value):
    """``price``: the unit price shown, in minor units, if any was."""

    cart: str
    product: str
    at: int
    quantity: int = 1
    price: int | None = None


class ChangeQuantity(Value):
    cart: str
    product: str
    quantity: int
    at: int


class RemoveFromCart(Value):
    """Without a ``quantity``, all there is of the product."""

    cart: str
    product: str
    at: int
    quantity: int | None = None


class CheckOutCart(Value):
    cart: str
    at: int


class AbandonCart(Value):
    cart: str
    at: int


Command: TypeAlias = OpenCart | AddToCart | ChangeQuantity | RemoveFromCart | CheckOutCart | AbandonCart


class CartOpened(Value):
    cart: str
    member: str | None
    session: str | None
    at: int


class CartItemAdded(Value):
    """``quantity`` was added to what was there."""

    cart: str
    member: str | None
    session: str | None
    product: str
    quantity: int
    price: int | None
    at: int


class CartItemQuantityChanged(Value):
    cart: str
    member: str | None
    session: str | None
    product: str
    quantity: int
    at: int


class CartItemRemoved(Value):
    cart: str
    member: str | None
    session: str | None
    product: str
    at: int


class CartCheckedOut(Value):
    """``items``: product and quantity, in the order they were first added."""

    cart: str
    member: str | None
    session: str | None
    items: tuple[tuple[str, int], ...]
    at: int


class CartAbandoned(Value):
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
    whose = (command.cart, cart.member, cart.session)
    match command:
        case AddToCart():
            require_id("product", command.product)
            require_count("quantity", command.quantity, least=1)
            require_count("quantity", command.quantity + cart.items.get(command.product, 0))
            if command.price is not None:
                require_count("price", command.price)
            return [CartItemAdded(*whose, command.product, command.quantity, command.price, command.at)]
        case ChangeQuantity():
            return change_quantity(command, cart)
        case RemoveFromCart():
            return remove(command, cart)
        case CheckOutCart():
            if not cart.items:
                raise Refusal("cart_empty", "An empty cart cannot be checked out.")
            return [CartCheckedOut(*whose, tuple(cart.items.items()), command.at)]
        case AbandonCart():
            return [CartAbandoned(*whose, command.at)]
        case _:
            assert_never(command)


def open_cart(command: OpenCart, cart: Cart) -> list[Event]:
    require_id("cart", command.cart)
    require_shopper(command.member, command.session)
    if cart.status == "unknown" or (command.anew and cart.status != "open"):
        return [CartOpened(command.cart, command.member, command.session, command.at)]
    if cart.status == "open" and (cart.member, cart.session) == (command.member, command.session):
        return []
    raise Refusal("cart_exists", "A cart with this id was opened before.")


def change_quantity(command: ChangeQuantity, cart: Cart) -> list[Event]:
    require_count("quantity", command.quantity)
    held = cart.items.get(command.product)
    if held is None:
        raise Refusal("item_unknown", "This product is not in the cart.")
    if command.quantity == held:
        return []
    whose = (command.cart, cart.member, cart.session, command.product)
    if command.quantity == 0:
        return [CartItemRemoved(*whose, command.at)]
    return [CartItemQuantityChanged(*whose, command.quantity, command.at)]


def remove(command: RemoveFromCart, cart: Cart) -> list[Event]:
    if command.quantity is not None:
        require_count("quantity", command.quantity, least=1)
    held = cart.items.get(command.product)
    if held is None:
        return []
    whose = (command.cart, cart.member, cart.session, command.product)
    if command.quantity is not None and command.quantity < held:
        return [CartItemQuantityChanged(*whose, held - command.quantity, command.at)]
    return [CartItemRemoved(*whose, command.at)]


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
    """A run of additions copies the items once, not once each: a long cart would cost its square."""
    cart = Cart()
    for kind, run in groupby(events, type):
        fold = with_added if kind is CartItemAdded else evolve_all
        cart = fold(cart, cast("Iterable[Any]", run))
    return cart


def evolve_all(cart: Cart, events: Iterable[Event]) -> Cart:
    return reduce(evolve, events, cart)


cart = Decider("cart", Cart(), decide, evolve, replay)
