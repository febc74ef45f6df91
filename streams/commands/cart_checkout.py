"""Checking out a cart of the log: what it holds becomes an order at the price that the shopper saw, or at a lower one.

A price that was shown holds for some minutes (the policy's ``price_minutes``): list prices, and promotions that ran then. So a
shopper who pays in time never pays more than they saw; later the checkout is refused with ``price_changed``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aggregates.cart import Cart, CheckOutCart, cart
from aggregates.decider import Look, Refusal, stream_id
from aggregates.pricing.pipeline import price
from aggregates.pricing.request import LineItem, PriceRules
from aggregates.pricing.trace import Trace
from aggregates.product import Product, product
from aggregates.programme import Policies, Programme
from infra.event_log.log import EventLog
from infra.event_log.types import Outcome
from infra.keys.ring import KeyRing
from streams.commands.checkout import Checkout, ComesBack, commands_of, known_in, request_of, until_nothing_is_taken
from streams.commands.handler import Handler
from streams.commands.request import Plan, Request

MINUTE = 60_000
SHIPPING = "shipping"


@dataclass(frozen=True)
class PriceNotice:
    """A price is another than was shown. ``rose``: it is to be told before the shopper pays."""

    product: str
    shown: int
    price: int

    @property
    def rose(self) -> bool:
        return self.price > self.shown


@dataclass(frozen=True)
class Shipping:
    """How the goods are sent, and what that costs; ``tax_class`` names a class of the policy."""

    method: str
    price: int
    tax_class: str | None = None


@dataclass(frozen=True)
class CartWanted:
    """A cart to check out as an order. ``codes``: beside those that the cart keeps. ``pins``: campaigns that the shopper chose.

    ``seen``: the payable amount that the shopper saw, at the instant ``seen_at``; None: any price will do. ``comes_back``:
    goods of an earlier order that the new one is exchanged for.
    """

    cart: str
    order: str
    codes: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    shipping: Shipping | None = None
    seen: int | None = None
    seen_at: int | None = None
    comes_back: ComesBack | None = None


@dataclass(frozen=True)
class Offer:
    """A cart as it would be checked out, yet without its price. ``without_price``: what cannot be bought."""

    checkout: Checkout
    notices: tuple[PriceNotice, ...]
    without_price: tuple[str, ...]


@dataclass(frozen=True)
class PriceSeen:
    """What held when the shopper saw the price: the instant, and the list prices of then."""

    at: int
    prices: Mapping[str, int] = field(default_factory=dict)


def rules_of(terms: Programme) -> PriceRules:
    """Return the rules of price that a version of the policy states."""
    selling = terms.selling
    digits = len(str(terms.unit)) - 1
    return PriceRules(
        terms.currency, digits, terms.zone, terms.version, mode=selling.mode, basis=selling.basis, most_off=selling.most_off
    )


def price_in_cart(shown: tuple[int, int] | None, price: int, at: int, grace: int) -> int:
    """Return what a unit costs in a cart: the price that was shown, and when, holds for ``grace`` if it was lower.

    >>> [price_in_cart(shown, 500, 1000, 100) for shown in (None, (400, 950), (400, 900), (600, 950))]
    [500, 400, 500, 500]
    """
    if shown is None or at >= shown[1] + grace:
        return price
    return min(shown[0], price)


def offer_of(look: Look, policies: Policies, wanted: CartWanted, at: int, seen: PriceSeen | None = None) -> Offer:
    """Return a cart as it would be checked out now, or by what held when it was ``seen``.

    Raises ``Refusal`` for a cart that is not there.
    """
    held = look(cart, wanted.cart)
    if held.status not in ("open", "abandoned"):
        raise Refusal("cart_unknown", "There is no open cart of this name.")
    terms = policies.at(at)
    items, notices, missing = [], [], []
    for sold, units in held.items.items():
        known = look(product, sold)
        if known.price is None or known.listed is None or known.retired:
            missing.append(sold)
            continue
        item = item_of(sold, units, known, held, at, terms)
        if seen is not None:
            item = replace(item, list_unit=min(item.list_unit, seen.prices.get(sold, item.list_unit)))
        items.append(item)
        shown = held.shown.get(sold)
        if shown is not None and shown[0] != item.list_unit:
            notices.append(PriceNotice(sold, shown[0], item.list_unit))
    if wanted.shipping is not None and items:
        items.append(shipping_item(wanted.shipping, terms))
    checkout = Checkout(
        wanted.order,
        tuple(items),
        at,
        held.member,
        held.session,
        wanted.cart,
        tuple(dict.fromkeys((*held.codes, *wanted.codes))),
        wanted.pins,
        rules=rules_of(terms),
        priced_at=seen.at if seen is not None else None,
        hold_ms=terms.selling.reserve_minutes * MINUTE,
        comes_back=wanted.comes_back,
    )
    return Offer(checkout, tuple(notices), tuple(missing))


def item_of(sold: str, units: int, known: Product, held: Cart, at: int, terms: Programme) -> LineItem:
    listed = known.listed
    attributes: Any = listed.attributes if listed else {}
    tax_class, rate = terms.selling.rate(attributes.get("tax_class"))
    unit = price_in_cart(held.shown.get(sold), known.price or 0, at, terms.selling.price_minutes * MINUTE)
    return LineItem(
        sold,
        sold,
        units,
        unit,
        rate,
        tax_class=tax_class,
        department=listed.department if listed else None,
        category=listed.category if listed else None,
    )


def shipping_item(shipping: Shipping, terms: Programme) -> LineItem:
    tax_class, rate = terms.selling.rate(shipping.tax_class)
    name = f"{SHIPPING}:{shipping.method}"
    return LineItem(name, name, 1, shipping.price, rate, kind="shipping", tax_class=tax_class)


def checking_out(log: EventLog, keys: KeyRing, policies: Policies, wanted: CartWanted, at: int, found: list[Trace]) -> Plan:
    """Return the plan that places a cart as an order and closes the cart; ``found`` is filled with its price.

    The plan raises ``Refusal`` ``price_changed`` if it costs more than the shopper saw.
    """
    grace = policies.at(at).selling.price_minutes * MINUTE
    is_recent = wanted.seen is not None and wanted.seen_at is not None and wanted.seen_at <= at < wanted.seen_at + grace
    seen = seen_at(log, wanted, wanted.seen_at) if is_recent and wanted.seen_at is not None else None

    def plan(look: Look) -> Iterator[object]:
        offers = [offer_of(look, policies, wanted, at)]
        if seen is not None:
            offers.append(offer_of(look, policies, wanted, at, seen))
        require_goods(offers[0])
        known = known_in(log, keys, offers[0].checkout)
        traces = [price(request_of(look, offer.checkout, known)).trace for offer in offers]
        checkout, trace = min(zip((offer.checkout for offer in offers), traces, strict=True), key=lambda pair: pair[1].payable)
        found[:] = [trace]
        if wanted.seen is not None and trace.payable > wanted.seen:
            raise Refusal("price_changed", f"The cart costs {trace.payable} now (minor units), not {wanted.seen}.")
        yield CheckOutCart(wanted.cart, at)
        yield from commands_of(look, checkout, known, trace)

    return plan


def check_out(
    log: EventLog, keys: KeyRing, handler: Handler, wanted: CartWanted, at: int, request: str
) -> tuple[Outcome, Trace | None]:
    """Place a cart as an order; return what came of it, and its price unless the request was answered before."""
    policies, found = handler.context().policies, list[Trace]()
    content = repr(wanted).encode()

    def attempt(_: int) -> Outcome:
        plan = checking_out(log, keys, policies, wanted, at, found)
        return handler.handle(Request(request, plan, content, settled=False))

    outcome = until_nothing_is_taken(attempt)
    return outcome, found[0] if found else None


def require_goods(offer: Offer) -> None:
    if offer.without_price:
        raise Refusal("cart_without_price", f"These cannot be bought now: {', '.join(offer.without_price)}.")
    if not offer.checkout.items:
        raise Refusal("cart_empty", "An empty cart cannot be checked out.")


def seen_at(log: EventLog, wanted: CartWanted, at: int) -> PriceSeen:
    """Return the list prices that held at an instant, of what is in the cart now."""
    events: Any = log.read(stream_id(cart.name, wanted.cart))[0]
    prices = {}
    for sold in cart.rebuild(events).items:
        history: Any = log.read(stream_id(product.name, sold))[0]
        then = product.rebuild([event for event in history if event.at <= at])
        if then.price is not None and not then.retired:
            prices[sold] = then.price
    return PriceSeen(at, prices)
