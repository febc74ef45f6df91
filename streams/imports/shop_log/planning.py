"""Turns a line into a request: the commands of its plan, under an id. The same line again has the same id and changes nothing.

An order's request is named after its order_id; that of a product or member after its id and the fields of the line. Any other
request is named after the line's ``id``, or else after a hash of the line and the number of equal lines before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TypeAlias

from aggregates.campaign import campaign
from aggregates.cart import cart
from aggregates.coupon import coupon
from aggregates.decider import Decider, stream_id
from aggregates.member import member
from aggregates.membership.decider import membership
from aggregates.order.decider import order
from aggregates.product import product
from aggregates.programme import Programme
from aggregates.session import session
from streams.commands.request import Plan as RequestPlan
from streams.commands.request import Request
from streams.imports.shop_log import order_plans, plans
from streams.imports.shop_log.lines import (
    BehaviourLine,
    CancelLine,
    CartAdditionLine,
    CartLine,
    CommandLine,
    CouponLine,
    CouponRedeemedLine,
    CouponSentLine,
    FileLine,
    ImpressionLine,
    MemberLine,
    OrderRecord,
    ProductLine,
    RefundLine,
    ReviewLine,
    SearchLine,
    SessionLeftLine,
    Shopper,
    StatusLine,
)
from streams.imports.shop_log.plans import cart_named, name_within_limit, running_cart
from streams.imports.shop_log.reading import ShopLine

Stream: TypeAlias = tuple[str, Decider[Any, Any, Any]]

PLANS: dict[type[FileLine], plans.Plan] = {
    ProductLine: plans.declare_product,
    MemberLine: plans.declare_member,
    BehaviourLine: plans.behave,
    SearchLine: plans.search,
    ImpressionLine: plans.impress,
    CartAdditionLine: plans.change_cart,
    CartLine: plans.change_cart,
    ReviewLine: plans.give_review,
    CouponSentLine: plans.send_coupon,
    CommandLine: plans.recorded_command,
    SessionLeftLine: plans.leave_session,
    StatusLine: order_plans.reach_status,
    CancelLine: order_plans.cancel,
}


class Planner:
    """Makes the requests of one file."""

    def __init__(self, terms: Programme) -> None:
        self._terms = terms
        self._equal: Counter[bytes] = Counter()

    def request(self, numbered: ShopLine) -> Request:
        name = self._name(numbered)
        plan = self._plan(numbered.line, name)
        return Request(name, plan, numbered.digest, settled=False, reads=tuple(streams_of(numbered.line)))

    def _name(self, numbered: ShopLine) -> str:
        line, digest = numbered.line, numbered.digest
        match line:
            case OrderRecord():
                return f"shop-log/order/{line.order}"
            case ProductLine():
                return f"shop-log/product/{line.product}/{digest.hex()}"
            case MemberLine():
                return f"shop-log/member/{line.member}/{digest.hex()}"
        if line.id is not None:
            return f"shop-log/id/{line.id}"
        before = self._equal[digest]
        self._equal[digest] = before + 1
        return f"shop-log/line/{line.at:013d}/{digest.hex()}/{before}"  # in order of time: neighbours share a page

    def _plan(self, line: FileLine, name: str) -> RequestPlan:
        match line:
            case OrderRecord():
                return partial(order_plans.take_order, line, self._terms.currency)
            case RefundLine():
                return partial(order_plans.give_back, line, name_within_limit(name, ""))
            case CouponRedeemedLine():
                return partial(plans.redeem_coupon, line, name_within_limit(name, ""))
            case _:
                return partial(PLANS[type(line)], line)


def streams_of(line: Any) -> Iterator[Stream]:
    """Return the streams that a line's plan will read, if the line alone names them; those of many lines are read at once.

    A stream that is missing here is read when the plan looks at it.
    """
    who: Shopper = getattr(line, "who", None) or Shopper()
    if who.member is not None:
        yield stream_id("member", who.member), member
    if who.session is not None:
        yield stream_id("session", who.session), session
    for name in products_of(line):
        yield stream_id("product", name), product
    if order_name := getattr(line, "order", None):
        yield stream_id("order", order_name), order
    match line:
        case SessionLeftLine():
            yield stream_id("session", line.session), session
        case OrderRecord() | CartLine() if who != Shopper():
            yield stream_id("cart", cart_named(line.cart) if line.cart else running_cart(who)), cart
            if who.member is not None and isinstance(line, OrderRecord):
                yield stream_id("membership", who.member), membership
        case CouponLine():
            yield stream_id("member", line.member), member
            yield stream_id("campaign", line.campaign), campaign
            yield stream_id("coupon", line.campaign, line.member), coupon


def products_of(line: Any) -> Iterable[str]:
    match line:
        case OrderRecord():
            return {item.product for item in line.lines}
        case ImpressionLine():
            return set(line.products)
        case SearchLine():
            return set(line.shown)
    name = getattr(line, "product", None)
    return () if name is None else (name,)
