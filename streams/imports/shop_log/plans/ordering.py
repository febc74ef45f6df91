"""Orders as the shop has them: priced by the line, else by the catalogue; as far as they came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aggregates.coupon import RedeemCoupon
from aggregates.decider import Refusal
from aggregates.order.decider import CancelOrder, DeliverOrder, PayOrder, PlaceOrder, ShipOrder
from aggregates.order.decider import order as order_decider
from aggregates.order.events import OrderLine
from aggregates.product import Product
from streams.commands.request import Look
from streams.imports.shop_log.amounts import total_of
from streams.imports.shop_log.lines import CancelLine, OrderLineItem, OrderRecord, StatusLine
from streams.imports.shop_log.plans.carting import check_out, running_cart
from streams.imports.shop_log.plans.couponing import launched, use_of
from streams.imports.shop_log.plans.first_sight import known_product, met, met_product, recognised

STEPS = {"placed": (), "paid": (PayOrder,), "shipped": (PayOrder, ShipOrder), "delivered": (PayOrder, DeliverOrder)}
"""What lies between an order that was placed and one that came as far as its status; a step taken before changes nothing."""


def take_order(line: OrderRecord, currency: str, at: int, look: Look) -> Iterator[object]:
    if look(order_decider, line.order).placed is None:  # else it is refused, or nothing new, without a cart to close
        yield from place(line, currency, at, look)
        return
    who = recognised(line.who, look)
    lines, unpriced = priced(line, {item.product: known_product(item.product, look) for item in line.lines})
    yield PlaceOrder(line.order, lines, currency, at, who.member, who.session, line.cart, line.tax or 0, line.coupons, unpriced)


def place(line: OrderRecord, currency: str, at: int, look: Look) -> Iterator[object]:
    who = recognised(line.who, look)
    yield from met(who, at, look)
    products: dict[str, Product] = {}
    for name in dict.fromkeys(item.product for item in line.lines):
        if (product := known_product(name, look)).listed is None:
            yield from met_product(name, at, look)
            product = known_product(name, look)
        products[name] = product
    lines, unpriced = priced(line, products)
    cart = line.cart or (None if who.member is None and who.session is None else running_cart(who))
    closing = list(check_out(cart, at, look))
    yield from closing
    told = line.cart or (cart if closing else None)
    yield PlaceOrder(line.order, lines, currency, at, who.member, who.session, told, line.tax or 0, line.coupons, unpriced)
    yield from (step(line.order, at) for step in STEPS[line.status])
    if who.member is not None:
        for code in line.coupons:
            yield from launched(code, at, look)
            yield RedeemCoupon(code, who.member, code, use_of(line.order), at, line.order, recorded=True)


def priced(line: OrderRecord, products: Mapping[str, Product]) -> tuple[tuple[OrderLine, ...], int]:
    """The lines with their money, and how many of them no price is known for."""
    lines = tuple(order_line(item, products[item.product]) for item in line.lines)
    return tuple(found for found, _ in lines), sum(not known for _, known in lines)


def order_line(item: OrderLineItem, product: Product) -> tuple[OrderLine, bool]:
    total = total_of(item)
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


def reach_status(line: StatusLine, at: int, look: Look) -> Iterator[object]:
    if look(order_decider, line.order).placed is None:
        raise Refusal("order_unknown", "No order has this id; its line must come first.")
    yield from (step(line.order, at) for step in STEPS[line.status])


def cancel(line: CancelLine, at: int, _: Look) -> Iterator[object]:
    yield CancelOrder(line.order, at, line.reason or "", recorded=True)
