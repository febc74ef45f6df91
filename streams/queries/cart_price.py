"""What a cart costs now, what it would earn, and what is missing to the next step.

A price that was shown holds for some minutes after it rose (the policy's ``price_minutes``); a lower one holds at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aggregates.decider import Context
from aggregates.membership.commands import GrantPoints
from aggregates.membership.decider import membership
from aggregates.membership.earning.formula import BoughtLine
from aggregates.membership.ledger.events import PointsGranted
from aggregates.membership.tiers.state import TierProgress
from aggregates.order.events import net_of
from aggregates.pricing.trace import Trace
from streams.commands.cart_checkout import CartWanted, PriceNotice, offer_of
from streams.commands.checkout import Checkout, quote, states_in
from streams.running.app import App


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


def price_of_cart(app: App, wanted: CartWanted, at: int) -> CartPrice:
    """Return what a cart costs now. Nothing is held by it. Raises ``Refusal`` for a cart that is not there."""
    offer = offer_of(states_in(app.log), app.handler.context().policies, wanted, at)
    told = CartPrice(wanted.cart, None, 0, offer.notices, offer.without_price, None, at)
    if not offer.checkout.items:
        return told
    trace = quote(app.log, app.keys, offer.checkout).trace
    points, progress = would_earn(app, offer.checkout, trace)
    return replace(told, trace=trace, points=points, progress=progress)


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
