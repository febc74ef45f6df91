"""A shop-log file as the events that the recommender learns from, without a log: nothing is stored.

Lines that cannot be read are left out and counted, as are a line whose ``id`` and an order whose id came before. An order
teaches once it is paid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aggregates.behaviour import Clicked, Dismissed, Favourited, OfProduct, Searched, Unfavourited, Viewed
from aggregates.cart.events import CartItemAdded
from aggregates.order.events import OrderLine, OrderPaid
from aggregates.product import Product, product
from streams.imports.shop_log.amounts import total_of
from streams.imports.shop_log.lines import (
    BehaviourLine,
    CartLine,
    OrderLineItem,
    OrderRecord,
    ProductLine,
    SearchLine,
    ShopLine,
    StatusLine,
    Who,
)
from streams.imports.shop_log.plans.declaring import merged
from streams.imports.shop_log.reading import Reader
from streams.imports.shop_log.rejected import Rejected

OF_PRODUCT: dict[str, type[OfProduct]] = {
    "view": Viewed,
    "click": Clicked,
    "favourite": Favourited,
    "unfavourite": Unfavourited,
    "dismiss": Dismissed,
}
PAID = {"paid", "shipped", "delivered"}


@dataclass
class ShopLogEvents:
    """``skipped`` counts lines that taught nothing, by why."""

    reader: Reader
    currency: str
    skipped: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._ids: set[str] = set()
        self._orders: dict[str, OrderPaid | None] = {}  # None once it is paid
        self._products: dict[str, Product] = {}
        self._members: dict[str, str] = {}  # of the sessions that were joined to one

    def events(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[object]:
        """Yield what numbered lines tell, in their order."""
        for number, raw in lines:
            try:
                line = self.reader.read(number, raw)
            except Rejected as why:
                self.skipped[why.code] += 1
                continue
            if line.id is not None and line.type != "order":
                if line.id in self._ids:
                    self.skipped["duplicate"] += 1
                    continue
                self._ids.add(line.id)
            yield from self._told(line)

    def _told(self, line: ShopLine) -> Iterator[object]:
        match line.body:
            case BehaviourLine(kind=kind) as told if kind in OF_PRODUCT:
                who = self._who(told.who)
                yield OF_PRODUCT[kind](told.product, who.member, who.session, line.at)
            case SearchLine() as told:
                who = self._who(told.who)
                yield Searched(told.query, who.member, who.session, told.shown, line.at)
            case CartLine(added=True) as told:
                who = self._who(told.who)
                cart = told.cart or who.member or str(who.session)
                yield CartItemAdded(cart, who.member, who.session, told.product, told.quantity, told.price, line.at)
            case OrderRecord() as told:
                yield from self._ordered(told, line.at)
            case StatusLine(status=status) as told if status in PAID:
                yield from self._paid(told.order, line.at)
            case ProductLine() as told:
                yield from self._declared(told, line.at)
            case _:
                self.skipped[f"type {line.type}"] += 1

    def _who(self, who: Who) -> Who:
        """Return whose it is: a session that was joined to a member is theirs from then on."""
        if who.session is None:
            return who
        if who.member is not None:
            self._members[who.session] = who.member
            return who
        return Who(self._members.get(who.session), who.session)

    def _declared(self, line: ProductLine, at: int) -> Iterator[object]:
        """Yield what is said of a product, over what was said of it before."""
        known = self._products.get(line.product, Product())
        for event in product.decide(merged(line, at, known), known):
            self._products[line.product] = known = product.evolve(known, event)
            yield event

    def _ordered(self, order: OrderRecord, at: int) -> Iterator[object]:
        if order.order in self._orders:
            self.skipped["duplicate"] += 1
            return
        who = self._who(order.who)
        lines = tuple(map(self._line, order.lines))
        net = sum(line.total for line in lines)
        self._orders[order.order] = OrderPaid(order.order, who.member, who.session, self.currency, lines, net, at)
        if order.status in PAID:
            yield from self._paid(order.order, at)

    def _line(self, item: OrderLineItem) -> OrderLine:
        """Return a line of an order; what it does not say of its product is as the catalogue has it."""
        listed = self._products.get(item.product, Product()).listed
        department, category = (listed.department, listed.category) if listed else (None, None)
        total = total_of(item) or 0
        if item.category:
            category = " / ".join(item.category)
        return OrderLine(item.product, item.quantity, total, total, total, item.department or department, category)

    def _paid(self, order: str, at: int) -> Iterator[object]:
        placed = self._orders.get(order)
        if placed is not None:
            self._orders[order] = None
            yield placed if placed.at == at else paid_at(placed, at)


def paid_at(order: OrderPaid, at: int) -> OrderPaid:
    return OrderPaid(order.order, order.member, order.session, order.currency, order.lines, order.net, at)
