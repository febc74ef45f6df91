"""The commands of an order and the decisions on them."""

from __future__ import annotations

from typing import Annotated, TypeAlias, assert_never

from aggregates.decider import Context, Decider, Refusal, require_count
from aggregates.fields import CartId, Count, Id, Instant, MemberId, OrderId, SessionId
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

    order: OrderId
    lines: tuple[OrderLine, ...]
    currency: str
    at: Instant
    member: MemberId | None = None
    session: SessionId | None = None
    cart: CartId | None = None
    tax: Annotated[int, Count("tax")] = 0
    coupons: tuple[Annotated[str, Id("coupon")], ...] = ()
    unpriced: Annotated[int, Count("unpriced")] = 0
    priced: Trace | None = None


class PayOrder(Value):
    order: OrderId
    at: Instant


class ShipOrder(Value):
    order: OrderId
    at: Instant


class DeliverOrder(Value):
    order: OrderId
    at: Instant


class CancelOrder(Value):
    """Cancel an order. ``recorded`` says that the shop has cancelled it already, at any stage: what is left is given back."""

    order: OrderId
    at: Instant
    reason: str = ""
    recorded: bool = False


OfPayment: TypeAlias = PayOrder | TenderOrder | AwaitPayment | FailPayment
Command: TypeAlias = PlaceOrder | OfPayment | ShipOrder | DeliverOrder | CancelOrder | RefundOrder

REACHED = {
    "paid": {"paid", "shipped", "delivered", "refunded"},
    "shipped": {"shipped", "delivered", "refunded"},
    "delivered": {"delivered", "refunded"},
}
"""The states in which a step was taken before, or means nothing any more: the command changes nothing."""


def decide(command: Command, order: Order, _: Context) -> list[Event]:
    if isinstance(command, PlaceOrder):
        return place(command, order)
    placed = order.placed
    if placed is None:
        raise Refusal("order_unknown", "No order has this id; place it first.")
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
            return [OrderShipped(order=command.order, member=placed.member, session=placed.session, at=command.at)]
        case DeliverOrder():
            if order.status in REACHED["delivered"]:
                return []
            require_status(order, "paid", "shipped")
            return [OrderDelivered(order=command.order, member=placed.member, session=placed.session, at=command.at)]
        case CancelOrder():
            if order.status == "cancelled":
                return []
            return [
                OrderCancelled(
                    order=command.order,
                    member=placed.member,
                    session=placed.session,
                    currency=placed.currency,
                    reason=command.reason,
                    lines=to_give_back(command, order),
                    at=command.at,
                )
            ]
        case RefundOrder():
            return list(refund(command, order) if order.priced is None else refund_priced(command, order))
        case _:
            assert_never(command)


def to_give_back(command: CancelOrder, order: Order) -> tuple[OrderLine, ...]:
    """Return what was paid for and not refunded yet; refuse where the order cannot be cancelled."""
    if not command.recorded:
        require_status(order, "placed", "paid")
        if any(order.refunded):
            raise Refusal("order_refunded", "A part of this order was refunded; refund the rest instead.")
    return () if order.status == "placed" else tuple(left_of(order))


def place(command: PlaceOrder, order: Order) -> list[Event]:
    if not command.lines:
        raise Refusal("order_empty", "An order has at least one line.")
    for line in command.lines:
        require_count("discount", line.total - line.paid)
    if command.tax > (most := max(0, sum(line.paid for line in command.lines))):
        raise Refusal("tax_too_high", f"The tax of {command.tax} is more than the {most} that is paid (minor units).")
    placed = OrderPlaced(
        order=command.order,
        member=command.member,
        session=command.session,
        cart=command.cart,
        currency=command.currency,
        lines=tuple(command.lines),
        tax=command.tax,
        at=command.at,
        coupons=tuple(command.coupons),
        unpriced=command.unpriced,
    )
    if command.priced is not None:
        require_priced_as_placed(placed, command.priced)
    if order.placed is None:
        return [placed, *priced_of(command)]
    if replace(placed, at=order.placed.at) == order.placed:
        return []
    raise Refusal("order_exists", "Another order with this id was placed before.")


def priced_of(command: PlaceOrder) -> list[OrderPriced]:
    if command.priced is None:
        return []
    return [
        OrderPriced(order=command.order, member=command.member, session=command.session, trace=command.priced, at=command.at)
    ]


def paid(placed: OrderPlaced, at: int) -> OrderPaid:
    net = net_of(sum(line.paid for line in placed.lines), placed.tax)
    return OrderPaid(
        order=placed.order,
        member=placed.member,
        session=placed.session,
        currency=placed.currency,
        lines=placed.lines,
        net=net,
        at=at,
    )


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
            tenders = (*order.tenders, Tender(event.tender, event.kind, event.amount))
            if event.gift_card is None:
                return replace(order, tenders=tenders)
            return replace(order, tenders=tenders, gift_cards={**order.gift_cards, event.tender: event.gift_card})
        case OrderPaymentPending() | OrderPaymentFailed():
            return replace(order, payments=(*order.payments, mark_of(event)))
        case OrderPaid():
            return replace(order, status="paid", net=event.net)
        case OrderShipped():
            return replace(order, status="shipped")
        case OrderDelivered():
            return replace(order, status="delivered")
        case OrderCancelled():
            return replace(order, status="cancelled", never_paid=order.status == "placed")
        case OrderRefunded():
            return after_refund(order, event)
        case _:
            assert_never(event)


def after_refund(order: Order, event: OrderRefunded) -> Order:
    refunded, given_back = list(order.refunded), list(order.given_back)
    for line, units, money in event.parts:
        refunded[line - 1] += units
        given_back[line - 1] += money
    return replace(
        order,
        status="refunded" if event.complete else order.status,
        refunded=tuple(refunded),
        given_back=tuple(given_back),
        refunds=(*order.refunds, event.refund),
        net=event.net_retained,
        priced=after_refund_of_lines(order.priced, event.shares) if order.priced is not None else None,
    )


order = Decider("order", Order(), decide, evolve)
