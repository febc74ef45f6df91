"""The decisions on a cart."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from aggregates.cart.events import (
    Cart,
    CartAbandoned,
    CartCheckedOut,
    CartItemAdded,
    CartItemQuantityChanged,
    CartItemRemoved,
    CartOpened,
    Event,
    evolve,
    replay,
)
from aggregates.decider import Decider, Refusal, require_count, require_id, require_shopper
from aggregates.value import Value

# Commands


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


cart = Decider("cart", Cart(), decide, evolve, replay)
