"""A cart: what a member, or a guest's session, means to buy; open until it is checked out or abandoned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import groupby
from typing import Any, TypeAlias, assert_never, cast

from aggregates.kernel import Decider, Refusal, require_count, require_id

# Commands


@dataclass(frozen=True)
class OpenCart:
    cart: str
    at: int
    member: str | None = None
    session: str | None = None


@dataclass(frozen=True)
class AddToCart:
    """``price``: the unit price shown, in minor units, if any was."""

    cart: str
    product: str
    at: int
    quantity: int = 1
    price: int | None = None


@dataclass(frozen=True)
class ChangeQuantity:
    cart: str
    product: str
    quantity: int
    at: int


@dataclass(frozen=True)
class RemoveFromCart:
    cart: str
    product: str
    at: int


@dataclass(frozen=True)
class CheckOutCart:
    cart: str
    at: int


@dataclass(frozen=True)
class AbandonCart:
    cart: str
    at: int


Command: TypeAlias = OpenCart | AddToCart | ChangeQuantity | RemoveFromCart | CheckOutCart | AbandonCart

# Events


@dataclass(frozen=True)
class CartOpened:
    cart: str
    member: str | None
    session: str | None
    at: int


@dataclass(frozen=True)
class CartItemAdded:
    """``quantity`` was added to what was there."""

    cart: str
    member: str | None
    session: str | None
    product: str
    quantity: int
    price: int | None
    at: int


@dataclass(frozen=True)
class CartItemQuantityChanged:
    cart: str
    member: str | None
    session: str | None
    product: str
    quantity: int
    at: int


@dataclass(frozen=True)
class CartItemRemoved:
    cart: str
    member: str | None
    session: str | None
    product: str
    at: int


@dataclass(frozen=True)
class CartCheckedOut:
    """``items``: product and quantity, in the order they were first added."""

    cart: str
    member: str | None
    session: str | None
    items: tuple[tuple[str, int], ...]
    at: int


@dataclass(frozen=True)
class CartAbandoned:
    cart: str
    member: str | None
    session: str | None
    at: int


Event: TypeAlias = CartOpened | CartItemAdded | CartItemQuantityChanged | CartItemRemoved | CartCheckedOut | CartAbandoned

# State


@dataclass(frozen=True)
class Cart:
    status: str = "unknown"  # unknown, open, checked_out, abandoned
    member: str | None = None
    session: str | None = None
    items: Mapping[str, int] = field(default_factory=dict)


def decide(command: Command, cart: Cart) -> list[Event]:
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
            return [CartItemRemoved(*whose, command.product, command.at)] if command.product in cart.items else []
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
    if command.member is None and command.session is None:
        raise Refusal("shopper_missing", "A cart belongs to a member, to a session, or to both.")
    for what, name in (("member", command.member), ("session", command.session)):
        if name is not None:
            require_id(what, name)
    if cart.status == "unknown":
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
