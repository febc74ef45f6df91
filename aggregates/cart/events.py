"""What can be true of a cart: its events, its state, and how they change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import groupby
from typing import Any, TypeAlias, assert_never, cast

from aggregates.value import Value


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
