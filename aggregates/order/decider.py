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
    OrderPaymentFailed,
    OrderPaymentPending,
    OrderPlaced,
    OrderPriced,
    OrderRefunded,
    OrderShipped,
    OrderTendered,
    net_of,
)
from aggregates.order.payment import AwaitPayment, FailPayment, TenderOrder, await_payment, fail_payment, mark_of, tender
from aggregates.order.priced import refund_priced, require_priced_as_placed
from aggregates.order.refund import RefundOrder, left_of, refund
from aggregates.pricing.refund import after_refund as after_refund_of_lines
from aggregates.pricing.refund import refundable
from aggregates.pricing.tenders import Tender
from aggregates.pricing.trace import Trace
from aggregates.value import Value, replace

# Commands


class PlaceOrder(Value):
    """``priced``: how its price came about, line by line; None where the price is taken as given."""

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
    priced: Trace | None = None


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


OfPayment: TypeAlias = PayOrder | TenderOrder | AwaitPayment | FailPayment
Command: TypeAlias = PlaceOrder | OfPayment | ShipOrder | DeliverOrder | CancelOrder | RefundOrder

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
            if order.tenders:
                raise Refusal("order_part_paid", "A part of this order is paid: tender what is left.")
            return [paid(placed, command.at)]
        case TenderOrder():
            if order.status not in REACHED["paid"]:
                require_status(order, "placed")
            events = tender(command, order, placed)
            return [*events, paid(placed, command.at)] if events and not events[-1].left else [*events]
        case AwaitPayment() | FailPayment() if order.status in REACHED["paid"]:
            return []
        case AwaitPayment():
            require_status(order, "placed")
            return list(await_payment(command, order, placed))
        case FailPayment():
            require_status(order, "placed")
            return list(fail_payment(command, order, placed))
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
            return list(refund(command, order) if order.priced is None else refund_priced(command, order))
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
    if command.priced is not None:
        require_priced_as_placed(placed, command.priced)
    if order.placed is None:
        whose = (command.order, command.member, command.session)
        return [placed, *([OrderPriced(*whose, command.priced, command.at)] if command.priced is not None else [])]
    if replace(placed, at=order.placed.at) == order.placed:
        return []
    raise Refusal("order_exists", "Another order with this id was placed before.")


def paid(placed: OrderPlaced, at: int) -> OrderPaid:
    net = net_of(sum(line.paid for line in placed.lines), placed.tax)
    return OrderPaid(placed.order, placed.member, placed.session, placed.currency, placed.lines, net, at)


def require_status(order: Order, *allowed: str) -> None:
    if order.status not in allowed:
        raise Refusal(f"order_{order.status}", f"This order is {order.status}; it would have to be {' or '.join(allowed)}.")


def evolve(order: Order, event: Event) -> Order:
    match event:
        case OrderPlaced():
            return Order("placed", event, (0,) * len(event.lines), (0,) * len(event.lines))
        case OrderPriced():
            return replace(order, priced=refundable(event.trace))
        case OrderTendered():
            return replace(order, tenders=(*order.tenders, Tender(event.tender, event.kind, event.amount)))
        case OrderPaymentPending() | OrderPaymentFailed():
            return replace(order, payments=(*order.payments, mark_of(event)))
        case OrderPaid():
            return replace(order, status="paid", net=event.net)
        case OrderShipped():
            return replace(order, status="shipped")
        case OrderDelivered():
            return replace(order, status="delivered")
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
    priced = after_refund_of_lines(order.priced, event.shares) if order.priced is not None else None
    return replace(
        order, status=status, refunded=refunded, given_back=given_back, refunds=refunds, net=event.net_retained, priced=priced
    )


order = Decider("order", Order(), decide, evolve)
