"""Refunds by line or by product: which units of which lines go back, and for how much."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.kernel import Refusal
from aggregates.money import apportion
from aggregates.order import refund as of_order
from aggregates.order.decider import order as order_decider
from aggregates.order.facts import Order
from streams.imports.shop_log.lines import RefundLine, RefundPart
from streams.imports.shop_log.plans.first_sight import recognised
from streams.request import Look


def give_back(line: RefundLine, name: str, at: int, look: Look) -> Iterator[object]:
    """``name`` names the refund where the line does not. Raises ``Refusal`` for another shopper's order."""
    order = look(order_decider, line.order)
    if order.placed is None:
        raise Refusal("order_unknown", "No order has this id; its line must come first.")
    who = recognised(line.who, look)
    if who.member is not None and who.member != order.placed.member:
        raise Refusal("order_anothers", "This order is not that member's.")
    if who.member is None and who.session is not None and who.session != order.placed.session:
        raise Refusal("order_anothers", "This order is not that session's.")
    parts = tuple(resolved(line.parts, order)) if line.parts is not None else ()
    yield of_order.RefundOrder(line.order, line.refund or name, at, parts)


def resolved(asked: tuple[RefundPart, ...], order: Order) -> Iterator[of_order.RefundPart]:
    """Every part by its line: a product's units are taken from its first line with something left, then the next."""
    left = [of_order.units_of(line) - done for line, done in zip(order.lines, order.refunded, strict=True)]
    for part in asked:
        units = 1 if part.quantity is None else part.quantity
        if part.line is not None:
            if not 1 <= part.line <= len(left):
                raise Refusal("line_unknown", f"The order has lines 1 to {len(left)}.")
            if part.product is not None and order.lines[part.line - 1].product != part.product:
                raise Refusal("line_of_another_product", f"Line {part.line} of the order is of another product.")
            found = [(part.line - 1, units)]
        else:
            found = list(spread(part, units, left, order))
        money = [None] * len(found) if part.total is None else apportion(part.total, [more for _, more in found])
        for (index, more), total in zip(found, money, strict=True):
            left[index] -= more
            yield of_order.RefundPart(index + 1, more, total)


def spread(part: RefundPart, units: int, left: list[int], order: Order) -> Iterator[tuple[int, int]]:
    mine = [index for index, line in enumerate(order.lines) if line.product == part.product]
    if not mine:
        raise Refusal("product_not_in_order", "The order has no line of this product.")
    if units > sum(left[index] for index in mine):
        raise Refusal("nothing_left", f"Only {sum(left[index] for index in mine)} of this product can still be refunded.")
    if not units:
        yield next((index for index in mine if left[index]), mine[0]), 0
    for index in mine:
        more = min(units, left[index])
        units -= more
        if more:
            yield index, more
