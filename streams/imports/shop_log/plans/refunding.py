"""Refunds by line or by product: which units of which lines go back, and for how much."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator

from aggregates.decider import Refusal
from aggregates.money import apportion
from aggregates.order import refund as of_order
from aggregates.order.decider import order as order_decider
from aggregates.order.events import Order, OrderPlaced
from aggregates.session import session as session_decider
from streams.commands.request import Look
from streams.imports.shop_log.lines import RefundLine, RefundPart, Who
from streams.imports.shop_log.plans.first_sight import recognised


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
    rest = Rest(order)
    for part in asked:
        units = 1 if part.quantity is None else part.quantity
        found = [(rest.line(part), units)] if part.line is not None else rest.of_product(part.product, units)
        money = [None] * len(found) if part.total is None else shared(part.total, found, rest)
        for (index, more), total in zip(found, money, strict=True):
            rest.take(index, more, total or 0)
            yield of_order.RefundPart(index + 1, more, total)


class Rest:
    """What is left of an order. What a product has left is found at once, however many lines and parts there are.

    ``units``, ``money``: by line, from 0.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self.units = [of_order.units_of(line) - done for line, done in zip(order.lines, order.refunded, strict=True)]
        self.money = [line.paid - given for line, given in zip(order.lines, order.given_back, strict=True)]
        self._of_product: Counter[str] = Counter()
        self._first: dict[str, int] = {}
        self._lines: defaultdict[str, deque[int]] = defaultdict(deque)  # those with something left, and some without
        for index, line in enumerate(order.lines):
            self._of_product[line.product] += self.units[index]
            self._first.setdefault(line.product, index)
            self._lines[line.product].append(index)

    def line(self, part: RefundPart) -> int:
        if part.line is None or not 1 <= part.line <= len(self.units):
            raise Refusal("line_unknown", f"The order has lines 1 to {len(self.units)}.")
        if part.product is not None and self._order.lines[part.line - 1].product != part.product:
            raise Refusal("line_of_another_product", f"Line {part.line} of the order is of another product.")
        return part.line - 1

    def of_product(self, product: str | None, units: int) -> list[tuple[int, int]]:
        if product is None or product not in self._first:
            raise Refusal("product_not_in_order", "The order has no line of this product.")
        if units > (left := self._of_product[product]):
            raise Refusal("nothing_left", f"Only {left} of this product can still be refunded.")
        lines = self._lines[product]
        while lines and not self.units[lines[0]]:
            lines.popleft()
        if not units:
            return [(lines[0] if lines else self._first[product], 0)]
        return list(self._spread(lines, units))

    def _spread(self, lines: Iterable[int], units: int) -> Iterator[tuple[int, int]]:
        for index in lines:
            if more := min(units, self.units[index]):
                yield index, more
                units -= more
            if not units:
                return

    def take(self, index: int, units: int, money: int) -> None:
        self.units[index] -= units
        self.money[index] -= money
        self._of_product[self._order.lines[index].product] -= units


def shared(total: int, found: list[tuple[int, int]], rest: Rest) -> list[int]:
    """A stated total over the lines it concerns, as the money of these units: no line gives back more than it has left.

    What exceeds all of it stays with the first, and is refused there.
    """
    most = [max(0, rest.money[index]) for index, _ in found]
    worth = [held * more // max(1, rest.units[index]) for held, (index, more) in zip(most, found, strict=True)]
    parts = [min(part, held) for part, held in zip(apportion(total, worth), most, strict=True)]
    lacking = total - sum(parts)
    for place, held in enumerate(most):
        more = min(held - parts[place], lacking)
        parts[place] += more
        lacking -= more
    parts[0] += lacking
    return parts
