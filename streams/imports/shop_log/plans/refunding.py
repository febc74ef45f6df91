"""Refunds by line or by product: which units of which lines go back, and for how much."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.kernel import Refusal
from aggregates.money import apportion
from aggregates.order import refund as of_order
from aggregates.order.decider import order as order_decider
from aggregates.order.facts import Order, OrderPlaced
from aggregates.session import session as session_decider
from streams.imports.shop_log.lines import RefundLine, RefundPart, Who
from streams.imports.shop_log.plans.first_sight import recognised
from streams.request import Look


def give_back(line: RefundLine, name: str, at: int, look: Look) -> Iterator[object]:
    """``name`` names the refund where the line does not. Raises ``Refusal`` for another shopper's order."""
    order = look(order_decider, line.order)
    if order.placed is None:
        raise Refusal("order_unknown", "No order has this id; its line must come first.")
    if line.who != Who() and not is_theirs(order.placed, line.who, look):
        raise Refusal("order_anothers", "This order is another shopper's.")
    parts = tuple(resolved(line.parts, order)) if line.parts is not None else ()
    yield of_order.RefundOrder(line.order, line.refund or name, at, parts)


def is_theirs(placed: OrderPlaced, who: Who, look: Look) -> bool:
    """A member's order is that member's alone; a guest's is its session's, and the member's whose session that became."""
    known = recognised(who, look)
    if placed.member is not None:
        return known.member == placed.member
    if placed.session is None:
        return False
    return placed.session == who.session or known.member == look(session_decider, placed.session).member is not None


def resolved(asked: tuple[RefundPart, ...], order: Order) -> Iterator[of_order.RefundPart]:
    """Every part by its line: a product's units are taken from its first line with something left, then the next."""
    left = [of_order.units_of(line) - done for line, done in zip(order.lines, order.refunded, strict=True)]
    money_left = [line.paid - given for line, given in zip(order.lines, order.given_back, strict=True)]
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
        money = [None] * len(found) if part.total is None else shared(part.total, found, left, money_left)
        for (index, more), total in zip(found, money, strict=True):
            left[index] -= more
            money_left[index] -= total or 0
            yield of_order.RefundPart(index + 1, more, total)


def shared(total: int, found: list[tuple[int, int]], left: list[int], money_left: list[int]) -> list[int]:
    """A stated total over the lines it concerns, as the money of these units: no line gives back more than it has left.

    What exceeds all of it stays with the first, and is refused there.
    """
    most = [max(0, money_left[index]) for index, _ in found]
    worth = [held * more // max(1, left[index]) for held, (index, more) in zip(most, found, strict=True)]
    parts = [min(part, held) for part, held in zip(apportion(total, worth), most, strict=True)]
    for place, held in enumerate(most):
        parts[place] += min(held - parts[place], total - sum(parts))
    parts[0] += total - sum(parts)
    return parts


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
