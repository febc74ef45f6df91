"""The decisions on an order."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from aggregates.decider import Decider, Refusal, require_count, require_id
from aggregates.order.events import (
    Event,
    Order,
    OrderCancelled,
    OrderDelivered,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderShipped,
    net_of,
)
from aggregates.order.refund import RefundOrder, left_of, refund
from aggregates.value import Value, replace

# Commands


class PlaceOrder(Value):
    order: str
    lines: tuple[OrderLine, ...]
    currency: str
    at: int
    member: str | None = None
    session: str | None = None
    cart: str | None = None
    tax: int = 0
    coupons: tuple[str, ...] = ()
    unpriced: int = 0


class PayOrder(Value):
    order: str
    at: int


class ShipOrder(Value):
    order: str
    at: int


class DeliverOrder(Value):
    order: str
    at: int


class CancelOrder(Value):
    """``recorded``: the shop has cancelled it already, however far it had come, so what is left of it is given back."""

    order: str
    at: int
    reason: str = ""
    recorded: bool = False


Command: TypeAlias = PlaceOrder | PayOrder | ShipOrder | DeliverOrder | CancelOrder | RefundOrder

REACHED = {
    "paid": {"paid", "shipped", "delivered", "refunded"},
    "shipped": {"shipped", "delivered", "refunded"},
    "delivered": {"delivered", "refunded"},
}
"""States in which a step was taken before, or has lost its meaning: asked for, it changes nothing."""


def decide(command: Command, order: Order) -> list[Event]:
    if isinstance(command, PlaceOrder):
        return place(command, order)
    placed = order.placed
    if placed is None:
        raise Refusal("order_unknown", "No order has this id; place it first.")
    whose = (command.order, placed.member, placed.session)
    match command:
        case PayOrder():
            if order.status in REACHED["paid"]:
                return []
            require_status(order, "placed")
            net = net_of(sum(line.paid for line in placed.lines), placed.tax)
            return [OrderPaid(*whose, placed.currency, placed.lines, net, command.at)]
        case ShipOrder():
            if order.status in REACHED["shipped"]:
                return []
            require_status(order, "paid")
            return [OrderShipped(*whose, command.at)]
        case DeliverOrder():
            if order.status in REACHED["delivered"]:
                return []
            require_status(order, "paid", "shipped")
            return [OrderDelivered(*whose, command.at)]
        case CancelOrder():
            if order.status == "cancelled":
                return []
            return [OrderCancelled(*whose, placed.currency, command.reason, to_give_back(command, order), command.at)]
        case RefundOrder():
            require_id("refund", command.refund)
            return list(refund(command, order))
        case _:
            assert_never(command)


def to_give_back(command: CancelOrder, order: Order) -> tuple[OrderLine, ...]:
    """What was paid for and not refunded yet."""
    if not command.recorded:
        require_status(order, "placed", "paid")
        if any(order.refunded):
            raise Refusal("order_refunded", "A part of this order was refunded; refund the rest instead.")
    return () if order.status == "placed" else tuple(left_of(order))


def place(command: PlaceOrder, order: Order) -> list[Event]:
    require_id("order", command.order)
    for what, name in (("member", command.member), ("session", command.session), ("cart", command.cart)):
        if name is not None:
            require_id(what, name)
    for code in command.coupons:
        require_id("coupon", code)
    require_count("tax", command.tax)
    require_count("unpriced", command.unpriced)
    if not command.lines:
        raise Refusal("order_empty", "An order has at least one line.")
    for line in command.lines:
        require_id("product", line.product)
        require_count("quantity", line.quantity)
        require_count("gross", line.gross)
        require_count("total", line.total)
        require_count("discount", line.total - line.paid)
    placed = OrderPlaced(
        command.order,
        command.member,
        command.session,
        command.cart,
        command.currency,
        tuple(command.lines),
        command.tax,
        command.at,
        tuple(command.coupons),
        command.unpriced,
    )
    if order.placed is None:
        return [placed]
    if replace(placed, at=order.placed.at) == order.placed:
        return []
    raise Refusal("order_exists", "Another order with this id was placed before.")


def require_status(order: Order, *allowed: str) -> None:
    if order.status not in allowed:
        raise Refusal(f"order_{order.status}", f"This order is {order.status}; it would have to be {' or '.join(allowed)}.")


def evolve(order: Order, event: Event) -> Order:
    match event:
        case OrderPlaced():
            return Order("placed", event, (0,) * len(event.lines), (0,) * len(event.lines))
        case OrderPaid():
            return Order("paid", order.placed, order.refunded, order.given_back, order.refunds, event.net)
        case OrderShipped():
            return replace(order, status="shipped")
        case OrderDelivered():
            return Order("delivered", order.placed, order.refunded, order.given_back, order.refunds, order.net)
        case OrderCancelled():
            return replace(order, status="cancelled")
        case OrderRefunded():
            return after_refund(order, event)
        case _:
            assert_never(event)


def after_refund(order: Order, event: OrderRefunded) -> Order:
    refunded = tuple(done + more for done, more in zip(order.refunded, event.units, strict=True))
    status = "refunded" if event.complete else order.status
    given_back = tuple(map(sum, zip(order.given_back, event.given_back, strict=True)))
    refunds = (*order.refunds, event.refund)
    return replace(order, status=status, refunded=refunded, given_back=given_back, refunds=refunds, net=event.net_retained)


order = Decider("order", Order(), decide, evolve)
