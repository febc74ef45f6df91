"""The commands of lines about orders: placed and priced, as far as they came, cancelled, and given back by line or product."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping

from aggregates.campaign import campaign as campaign_decider
from aggregates.cart import CheckOutCart
from aggregates.cart import cart as cart_decider
from aggregates.coupon import RedeemCoupon
from aggregates.decider import Look, Refusal
from aggregates.guest_coupon import RedeemGuestCoupon
from aggregates.money import apportion
from aggregates.order import refund as of_order
from aggregates.order.decider import CancelOrder, PayOrder
from aggregates.order.decider import order as order_decider
from aggregates.order.events import Order, OrderLine, OrderPlaced
from aggregates.order.fulfilment import DeliverOrder, ShipOrder
from aggregates.order.placing import PlaceOrder
from aggregates.product import Product
from aggregates.product import product as product_decider
from aggregates.session import session as session_decider
from streams.imports.shop_log.lines import (
    CancelLine,
    OrderLineItem,
    OrderRecord,
    RefundLine,
    RefundLineItem,
    Shopper,
    StatusLine,
)
from streams.imports.shop_log.plans import (
    Commands,
    cart_named,
    end_session,
    ensure_campaigns,
    ensure_joined,
    ensure_member,
    ensure_products,
    find_cart,
    owns,
    resolve_shopper,
    use_of,
)

STEPS = {"placed": (), "paid": (PayOrder,), "shipped": (PayOrder, ShipOrder), "delivered": (PayOrder, DeliverOrder)}
"""What lies between a placed order and one that came as far as its status; a step that was taken before changes nothing."""


def take_order(line: OrderRecord, currency: str, look: Look) -> Commands:
    """Return the commands of an order: what it mentions first, its cart's check-out, the order, its steps and its coupons."""
    at, who = line.at, resolve_shopper(line.who, line.at, look)
    products = {item.product: look(product_decider, item.product) for item in line.lines}
    if look(order_decider, line.order).placed is not None:  # it changes nothing or is refused, and closes no cart
        return [placed(line, currency, who, products, None if line.cart is None else cart_named(line.cart))]
    first: Commands = [
        *end_session(line.who, at, look),
        *ensure_member(who.member, at, look),
        *ensure_products(products, at, look),
    ]
    named = None if line.cart is None else cart_named(line.cart)
    cart = named or (find_cart(None, who, look) if who != Shopper() else None)
    closed = cart if cart is not None and is_filled(cart, who, look) else None
    return [
        *first,
        *([] if closed is None else [CheckOutCart(closed, at)]),
        placed(line, currency, who, products, named or closed),
        *(step(line.order, at) for step in STEPS[line.status]),
        *redemptions(line, who, look),
    ]


def placed(line: OrderRecord, currency: str, who: Shopper, products: Mapping[str, Product], cart: str | None) -> PlaceOrder:
    lines, unpriced = priced(line, products)
    member, session = who
    return PlaceOrder(line.order, lines, currency, line.at, member, session, cart, line.tax or 0, line.coupons, unpriced)


def is_filled(cart: str, who: Shopper, look: Look) -> bool:
    """Return whether a cart is open, holds something and is this shopper's: an order closes nobody else's."""
    known = look(cart_decider, cart)
    return known.status == "open" and bool(known.items) and owns(who, known, look)


def redemptions(line: OrderRecord, who: Shopper, look: Look) -> Commands:
    """Return a use of each of the order's coupons; a coupon of an order is a campaign of its own name."""
    use, at = use_of(line.order), line.at
    commands = ensure_campaigns(line.coupons, at, look)
    for code in line.coupons:
        if who.member is not None:
            commands.append(RedeemCoupon(code, who.member, code, use, at, line.order, recorded=True))
            continue
        launched = look(campaign_decider, code).launched
        starts, ends = (launched.starts, launched.ends) if launched else (None, None)
        commands.append(
            RedeemGuestCoupon(code, code, use, at, who.session, line.order, recorded=True, starts=starts, ends=ends)
        )
    return commands


def priced(line: OrderRecord, products: Mapping[str, Product]) -> tuple[tuple[OrderLine, ...], int]:
    """Return the lines with their money, and how many of them have no known price."""
    lines = tuple(order_line(item, products[item.product]) for item in line.lines)
    return tuple(found for found, _ in lines), sum(not known for _, known in lines)


def order_line(item: OrderLineItem, product: Product) -> tuple[OrderLine, bool]:
    """Return a line with its money, and whether a price is known: its own, else the product's. Raises ``Refusal``."""
    total = item.own_total()
    if total is not None:
        gross = total + item.discount
    elif product.price is not None:
        gross = product.price * item.quantity
        total = gross - item.discount
        if total < 0:
            raise Refusal("total_negative", "The discount exceeds the product's price: a line costs at least nothing.")
    else:
        gross = total = 0
    listed = product.listed
    department = item.department or (listed.department if listed else None)
    category = " / ".join(item.category) if item.category else (listed.category if listed else None)
    paid = total if item.paid is None else item.paid
    known = item.total is not None or item.unit_price is not None or product.price is not None
    return OrderLine(item.product, item.quantity, gross, total, paid, department, category), known


def reach_status(line: StatusLine, look: Look) -> Commands:
    require_order(look(order_decider, line.order))
    return [step(line.order, line.at) for step in STEPS[line.status]]


def cancel(line: CancelLine, _: Look) -> Commands:
    return [CancelOrder(line.order, line.at, line.reason or "", recorded=True)]


def require_order(order: Order) -> OrderPlaced:
    if order.placed is None:
        raise Refusal("order_unknown", "No order has this id; its line must come first.")
    return order.placed


# Refunds: which units of which lines are given back, and for how much


def give_back(line: RefundLine, name: str, look: Look) -> Commands:
    """``name`` names the refund where the line does not. Raises ``Refusal`` for another shopper's order."""
    order = look(order_decider, line.order)
    sold = require_order(order)
    if line.who != Shopper() and not is_theirs(sold, line.who, line.at, look):
        raise Refusal("order_anothers", "This order is another shopper's.")
    parts = tuple(resolved(line.parts, order)) if line.parts is not None else ()
    refund = of_order.RefundOrder(line.order, line.refund or name, line.at, parts)
    return [*ensure_joined(line.who, line.at, look), refund]


def is_theirs(placed: OrderPlaced, who: Shopper, at: int, look: Look) -> bool:
    """Return whether an order is a shopper's: its member's, or for a guest's, its session's and that session's member's."""
    known = resolve_shopper(who, at, look)
    if placed.member is not None:
        return known.member == placed.member
    if placed.session is None:
        return False
    return placed.session == who.session or known.member == look(session_decider, placed.session).member is not None


def resolved(asked: tuple[RefundLineItem, ...], order: Order) -> Iterator[of_order.RefundPart]:
    """Return every part by its line: a product's units come from its first line with something left, then the next."""
    rest = OrderRemainder(order)
    for part in asked:
        units = 1 if part.quantity is None else part.quantity
        found = [(rest.line(part), units)] if part.line is not None else rest.of_product(part.product, units)
        money = [None] * len(found) if part.total is None else shared(part.total, found, rest)
        for (index, more), total in zip(found, money, strict=True):
            rest.take(index, more, total or 0)
            yield of_order.RefundPart(index + 1, more, total)


class OrderRemainder:
    """What is left of an order. What a product has left is found without a search, for orders of many lines and parts.

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

    def line(self, part: RefundLineItem) -> int:
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


def shared(total: int, found: list[tuple[int, int]], left: OrderRemainder) -> list[int]:
    """Return a stated total, split over its lines by the money of these units; no line gives back more than it has left.

    What exceeds all of it stays with the first line, and is refused there.
    """
    most = [max(0, left.money[index]) for index, _ in found]
    worth = [held * more // max(1, left.units[index]) for held, (index, more) in zip(most, found, strict=True)]
    parts = [min(part, held) for part, held in zip(apportion(total, worth), most, strict=True)]
    lacking = total - sum(parts)
    for place, held in enumerate(most):
        more = min(held - parts[place], lacking)
        parts[place] += more
        lacking -= more
    parts[0] += lacking
    return parts
