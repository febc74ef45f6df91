"""The streams that a line's plan will look at, so that those of many lines are read at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from aggregates.campaign import campaign
from aggregates.cart.decider import cart
from aggregates.coupon import coupon
from aggregates.decider import Decider, stream_id
from aggregates.member import member
from aggregates.membership.decider import membership
from aggregates.order.decider import order
from aggregates.product import product
from aggregates.session import session
from streams.imports.shop_log.lines import Body, CartLine, CouponLine, ImpressionLine, OrderRecord, SearchLine, Who
from streams.imports.shop_log.plans.carting import running_cart

Stream: TypeAlias = tuple[str, Decider[Any, Any, Any]]


def streams_of(body: Body) -> tuple[Stream, ...]:
    """As far as the line alone tells; what is missing here is read when it is looked at."""
    return tuple(named(body))


def named(body: Any) -> Iterator[Stream]:
    who: Who | None = getattr(body, "who", None)
    if who is not None and who.member is not None:
        yield stream_id("member", who.member), member
    if who is not None and who.session is not None:
        yield stream_id("session", who.session), session
    for name in products(body):
        yield stream_id("product", name), product
    if order_name := getattr(body, "order", None):
        yield stream_id("order", order_name), order
    match body:
        case OrderRecord() | CartLine() if body.who != Who():
            yield stream_id("cart", body.cart or running_cart(body.who)), cart
            if body.who.member is not None and isinstance(body, OrderRecord):
                yield stream_id("membership", body.who.member), membership
        case CouponLine():
            yield stream_id("member", body.member), member
            yield stream_id("campaign", body.campaign), campaign
            yield stream_id("coupon", body.campaign, body.member), coupon


def products(body: Any) -> Iterable[str]:
    match body:
        case OrderRecord():
            return {item.product for item in body.lines}
        case ImpressionLine():
            return set(body.products)
        case SearchLine():
            return set(body.shown)
    name = getattr(body, "product", None)
    return () if name is None else (name,)
