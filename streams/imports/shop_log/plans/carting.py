"""A shopper's running cart: opened by the first thing put into it, closed by their next order, then opened anew."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.cart.decider import AddToCart, CheckOutCart, OpenCart, RemoveFromCart
from aggregates.cart.decider import cart as cart_decider
from aggregates.decider import Refusal
from streams.commands.request import Look
from streams.imports.shop_log.lines import CartLine, Who
from streams.imports.shop_log.plans.first_sight import met, met_product, recognised
from streams.imports.shop_log.plans.naming import named


def running_cart(who: Who) -> str:
    """The one cart of a member, else of a session.

    >>> running_cart(Who("42", "s")), running_cart(Who(None, "42"))
    ('m.42', 's.42')
    """
    return named("m.", who.member) if who.member is not None else named("s.", str(who.session))


def change_cart(line: CartLine, at: int, look: Look) -> Iterator[object]:
    """What is not in the cart cannot be taken out of it: accepted, without effect."""
    who = recognised(line.who, look)
    yield from met(who, at, look)
    yield from met_product(line.product, at, look)
    name = line.cart or running_cart(who)
    cart = look(cart_decider, name)
    if cart.status == "open" and line.cart and (cart.member, cart.session) != (who.member, who.session):
        raise Refusal("cart_anothers", "This cart is another shopper's.")
    if not line.added:
        if cart.status == "open":
            yield RemoveFromCart(name, line.product, at, line.quantity)
        return
    if cart.status != "open":
        yield OpenCart(name, at, who.member, who.session, anew=line.cart is None)
    yield AddToCart(name, line.product, at, line.quantity, line.price)


def check_out(name: str | None, at: int, look: Look) -> Iterator[object]:
    """Close the cart that an order empties, if it is open and holds anything."""
    if name is not None:
        cart = look(cart_decider, name)
        if cart.status == "open" and cart.items:
            yield CheckOutCart(name, at)
