"""``regulars checkout``: a cart of the log becomes an order, at its price now or as it would be."""

from __future__ import annotations

from uuid import uuid4

import click

from infra.settings import from_environment
from streams.cli.console import AS_JSON, CommandFailed, print_json, say
from streams.cli.price import show_price
from streams.commands.cart_checkout import CartWanted, Shipping, check_out
from streams.queries.cart_price import price_of_cart
from streams.queries.clock import clock_of
from streams.queries.price_words import amount
from streams.running.app import running


@click.command("checkout")
@click.argument("cart")
@click.argument("order")
@click.option("--code", "codes", multiple=True, metavar="CODE", help="A code beside those that the cart keeps; repeatable.")
@click.option("--pin", "pins", multiple=True, metavar="CAMPAIGN", help="A campaign that the shopper chose; repeatable.")
@click.option("--shipping", metavar="METHOD=PRICE", help="How it is sent, and what that costs in minor units.")
@click.option("--seen", type=click.IntRange(0), metavar="N", help="What the shopper saw, in minor units: more is refused.")
@click.option("--id", "request", metavar="ID", help="The request's id: sent again, it changes nothing.")
@click.option("--dry-run", "dry", is_flag=True, help="Show the price, and write nothing.")
@AS_JSON
def checkout(
    cart: str,
    order: str,
    codes: tuple[str, ...],
    pins: tuple[str, ...],
    shipping: str | None,
    seen: int | None,
    request: str | None,
    dry: bool,
    as_json: bool,
) -> None:
    """Place ORDER from what is in CART, at its price by the log: the trace is kept, goods and promotions are held."""
    wanted = CartWanted(cart, order, codes, pins, sent_by(shipping), seen)
    with running(from_environment()) as app:
        at = clock_of(app)()
        if dry:
            trace = price_of_cart(app, wanted, at).trace
        else:
            outcome, trace = check_out(app.log, app.keys, app.handler, wanted, at, request or f"console:{uuid4().hex}")
            if not outcome.accepted:
                raise CommandFailed(outcome.sentence)
    if trace is None:
        say(f"Order {order} was placed before." if not dry else "Nothing in this cart can be bought.")
        return
    if as_json:
        print_json(trace)
        return
    show_price(trace)
    if not dry:
        say(f"Order {order} is placed: {amount(trace.payable, trace)} {trace.currency} to pay.")


def sent_by(told: str | None) -> Shipping | None:
    """Return a choice of shipping.

    >>> sent_by("standard=490"), sent_by(None)
    (Shipping(method='standard', price=490, tax_class=None), None)
    """
    if told is None:
        return None
    method, _, price = told.partition("=")
    if not method or not (price.isascii() and price.isdigit()):
        raise CommandFailed(f"{told!r} is not METHOD=PRICE, such as standard=490.")
    return Shipping(method, int(price))
