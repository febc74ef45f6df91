"""A shop-log file as the events that the recommender learns from, without a log: nothing is stored.

Lines that cannot be read are left out and counted, as are a line whose ``id`` and an order whose id came before. An order
teaches once it is paid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aggregates.behaviour import Searched
from aggregates.cart_events import (
    CartItemAdded,
)
from aggregates.decider import Context, Refusal
from aggregates.order.events import OrderPaid, net_of
from aggregates.product import Product, product
from aggregates.programme import Policies
from aggregates.value import replace
from streams.imports.shop_log.lines import (
    BehaviourLine,
    CartAdditionLine,
    FileLine,
    OrderRecord,
    ProductLine,
    SearchLine,
    Shopper,
    StatusLine,
)
from streams.imports.shop_log.order_plans import order_line
from streams.imports.shop_log.plans import BEHAVIOUR, merged, running_cart
from streams.imports.shop_log.reading import Reader
from streams.imports.shop_log.rejected import Rejected

CONTEXT = Context(Policies())
"""No listing of a product depends on the programme."""


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
        """Yield what numbered lines say, in their order."""
        for number, raw in lines:
            try:
                line = self.reader.read(number, raw).line
                if self._is_new(line):
                    yield from self._of(line)
                else:
                    self.skipped["duplicate"] += 1
            except (Rejected, Refusal) as why:
                self.skipped[why.code] += 1

    def _is_new(self, line: FileLine) -> bool:
        """Return whether neither the line's id nor, for an order, the order's came before."""
        if isinstance(line, OrderRecord):
            return line.order not in self._orders
        if line.id is None:
            return True
        known = line.id in self._ids
        self._ids.add(line.id)
        return not known

    def _of(self, line: FileLine) -> Iterator[object]:
        match line:
            case BehaviourLine():
                who = self._who(line.who)
                yield BEHAVIOUR[line.type](product=line.product, member=who.member, session=who.session, at=line.at)
            case SearchLine():
                who = self._who(line.who)
                yield Searched(query=line.query, member=who.member, session=who.session, shown=line.shown, at=line.at)
            case CartAdditionLine():
                who = self._who(line.who)
                cart = line.cart or running_cart(who)
                yield CartItemAdded(
                    cart=cart,
                    member=who.member,
                    session=who.session,
                    product=line.product,
                    quantity=line.quantity,
                    price=line.price,
                    at=line.at,
                )
            case OrderRecord():
                yield from self._ordered(line)
            case StatusLine() if line.status in PAID:
                yield from self._paid(line.order, line.at)
            case ProductLine():
                known = self._products.get(line.product, Product())
                for event in product.decide(merged(line, known), known, CONTEXT):
                    self._products[line.product] = known = product.evolve(known, event)
                    yield event
            case _:
                self.skipped[f"type {line.type}"] += 1

    def _who(self, who: Shopper) -> Shopper:
        """Return who it is: a session that was joined to a member is that member's from then on."""
        if who.session is None:
            return who
        if who.member is not None:
            self._members[who.session] = who.member
            return who
        return Shopper(self._members.get(who.session), who.session)

    def _ordered(self, order: OrderRecord) -> Iterator[object]:
        who = self._who(order.who)
        lines = tuple(order_line(item, self._products.get(item.product, Product()))[0] for item in order.lines)
        net = net_of(sum(line.paid for line in lines), order.tax or 0)
        self._orders[order.order] = OrderPaid(
            order=order.order, member=who.member, session=who.session, currency=self.currency, lines=lines, net=net, at=order.at
        )
        if order.status in PAID:
            yield from self._paid(order.order, order.at)

    def _paid(self, order: str, at: int) -> Iterator[object]:
        placed = self._orders.get(order)
        if placed is not None:
            self._orders[order] = None
            yield replace(placed, at=at)
