"""From a line to a request: what it asks for, under an id that makes the same line again change nothing.

An order goes by its order_id, a product or member by its own id and what is declared of it, any other line by its ``id`` if it
has one, else by a hash of what it says and how many equal lines came before it in the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias

from aggregates.programme import Programme
from streams.commands.request import Look, Plan, Request
from streams.imports.shop_log.lines import (
    BehaviourLine,
    CancelLine,
    CartLine,
    CommandLine,
    CouponLine,
    ImpressionLine,
    MemberLine,
    OrderRecord,
    ProductLine,
    RefundLine,
    ReviewLine,
    SearchLine,
    ShopLine,
    StatusLine,
)
from streams.imports.shop_log.plans.behaving import behave, give_review, impress, search
from streams.imports.shop_log.plans.carting import change_cart
from streams.imports.shop_log.plans.couponing import use_coupon
from streams.imports.shop_log.plans.declaring import declare_member, declare_product
from streams.imports.shop_log.plans.naming import named
from streams.imports.shop_log.plans.ordering import cancel, reach_status, take_order
from streams.imports.shop_log.plans.reads import streams_of
from streams.imports.shop_log.plans.recorded import recorded
from streams.imports.shop_log.plans.refunding import give_back

Planned: TypeAlias = Callable[[Any, int, Look], Iterable[object]]

PLANS: dict[type, Planned] = {
    ProductLine: declare_product,
    MemberLine: declare_member,
    BehaviourLine: behave,
    SearchLine: search,
    ImpressionLine: impress,
    CartLine: change_cart,
    StatusLine: reach_status,
    CancelLine: cancel,
    ReviewLine: give_review,
}


class Planner:
    """Makes the requests of one file."""

    def __init__(self, terms: Programme) -> None:
        self._terms = terms
        self._equal: Counter[bytes] = Counter()

    def request(self, line: ShopLine) -> Request:
        name = self._name(line)
        return Request(name, self._plan(line, name), line.content, settled=False, reads=streams_of(line.body))

    def _name(self, line: ShopLine) -> str:
        body = line.body
        if isinstance(body, OrderRecord):
            return f"shop-log/order/{body.order}"
        if isinstance(body, ProductLine):
            return f"shop-log/product/{body.product}/{line.content.hex()}"
        if isinstance(body, MemberLine):
            return f"shop-log/member/{body.member}/{line.content.hex()}"
        if line.id is not None:
            return f"shop-log/id/{line.id}"
        before = self._equal[line.content]
        self._equal[line.content] = before + 1
        return f"shop-log/line/{line.at:013d}/{line.content.hex()}/{before}"  # in time's order: neighbours share a page

    def _plan(self, line: ShopLine, name: str) -> Plan:
        body, at = line.body, line.at
        match body:
            case OrderRecord():
                return partial(take_order, body, self._terms.currency, at)
            case RefundLine():
                return partial(give_back, body, named(name, ""), at)
            case CouponLine():
                return partial(use_coupon, body, named(name, ""), at)
            case CommandLine():
                return lambda _: recorded(body, at)
            case _:
                return partial(PLANS[type(body)], body, at)
