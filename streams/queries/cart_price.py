"""What a cart costs now, what it would earn, and what is missing to the next step.

A price that was shown holds for some minutes after it rose (the policy's ``price_minutes``); a lower one holds at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aggregates.cart import Cart, cart
from aggregates.decider import Context, Refusal
from aggregates.membership.commands import GrantPoints
from aggregates.membership.decider import membership
from aggregates.membership.earning.formula import BoughtLine
from aggregates.membership.ledger.events import PointsGranted
from aggregates.membership.tiers.state import TierProgress
from aggregates.order.events import net_of
from aggregates.pricing.request import LineItem, PriceRules
from aggregates.pricing.trace import Trace
from aggregates.product import Product, product
from aggregates.programme.terms import Programme
from streams.commands.checkout import Checkout, quote, states_in
from streams.running.app import App

MINUTE = 60_000


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
class CartPrice:
    """``points``: what the order would earn. ``progress``: to the next tier, after it. ``without_price``: cannot be bought."""

    cart: str
    trace: Trace | None
    points: int
    notices: tuple[PriceNotice, ...]
    without_price: tuple[str, ...]
    progress: TierProgress | None
    at: int


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


def checkout_of(app: App, name: str, order: str, at: int, codes: tuple[str, ...] = ()) -> tuple[Checkout, CartPrice]:
    """Return a cart as it would be checked out now, and what is to be told of it, yet without its price.

    Raises ``Refusal`` for a cart that is not there.
    """
    look = states_in(app.log)
    held = look(cart, name)
    if held.status not in ("open", "abandoned"):
        raise Refusal("cart_unknown", "There is no open cart of this name.")
    terms = app.handler.context().policies.at(at)
    items, notices, missing = [], [], []
    for sold, units in held.items.items():
        known = look(product, sold)
        if known.price is None or known.listed is None or known.retired:
            missing.append(sold)
            continue
        item = item_of(sold, units, known, held, at, terms)
        items.append(item)
        shown = held.shown.get(sold)
        if shown is not None and shown[0] != item.list_unit:
            notices.append(PriceNotice(sold, shown[0], item.list_unit))
    checkout = Checkout(order, tuple(items), at, held.member, held.session, name, codes, rules=rules_of(terms))
    return checkout, CartPrice(name, None, 0, tuple(notices), tuple(missing), None, at)


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


def price_of_cart(app: App, name: str, at: int, codes: tuple[str, ...] = ()) -> CartPrice:
    """Return what a cart costs now. Nothing is held by it. Raises ``Refusal`` for a cart that is not there."""
    checkout, told = checkout_of(app, name, f"cart {name}"[:200], at, codes)
    if not checkout.items:
        return told
    trace = quote(app.log, app.keys, checkout).trace
    points, progress = would_earn(app, checkout, trace)
    return CartPrice(name, trace, points, told.notices, told.without_price, progress, at)


def would_earn(app: App, checkout: Checkout, trace: Trace) -> tuple[int, TierProgress | None]:
    """Return the points that this order would earn, and how far the member would then be from the next tier."""
    if checkout.member is None:
        return 0, None
    state = states_in(app.log)(membership, checkout.member)
    kinds = {item.id: item for item in checkout.items}
    lines = tuple(
        BoughtLine(line.product, share.paid, kinds[line.id].department, kinds[line.id].category)
        for line, share in zip(trace.lines, trace.shares, strict=True)
        if line.id in kinds
    )
    context: Context = app.handler.context()
    grant = GrantPoints(checkout.member, checkout.order, net_of(trace.payable, trace.tax), checkout.at, lines)
    events = membership.decide(grant, state, context)
    points = sum(event.points for event in events if isinstance(event, PointsGranted))
    ahead = [event.ahead for event in events if isinstance(event, PointsGranted) and event.ahead is not None]
    return points, ahead[0] if ahead else None
