"""The commands of an order and the decisions on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, assert_never

from aggregates.decider import Context, Decider, Refusal
from aggregates.fields import Instant, OrderId
from aggregates.order import stock
from aggregates.order.events import (
    Event,
    Order,
    OrderCancelled,
    OrderExchanged,
    OrderLine,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentPending,
    OrderPlaced,
    OrderPriced,
    OrderRefunded,
    OrderTendered,
    net_of,
)
from aggregates.order.exchange import ExchangeItems, TakeExchanged, exchange, take_exchanged
from aggregates.order.fulfilment import (
    DeliverOrder,
    OrderDelivered,
    OrderReturned,
    OrderShipped,
    ReturnGoods,
    ShipOrder,
    after,
    deliver,
    first,
    receive,
    ship,
)
from aggregates.order.fulfilment import after_refund as after_units_back
from aggregates.order.payment import AwaitPayment, FailPayment, TenderOrder, await_payment, fail_payment, mark_of, tender
from aggregates.order.placing import PlaceOrder, place
from aggregates.order.priced import refund_priced
from aggregates.order.refund import RefundOrder, left_of, refund, to_tenders
from aggregates.pricing.refund import after_refund as after_refund_of_lines
from aggregates.pricing.refund import refundable
from aggregates.pricing.tenders import Tender
from aggregates.value import Value, replace

# Commands


class PayOrder(Value):
    order: OrderId
    at: Instant


class CancelOrder(Value):
    """Cancel an order. ``recorded`` says that the shop has cancelled it already, at any stage: what is left is given back."""

    order: OrderId
    at: Instant
    reason: str = ""
    recorded: bool = False


OfPayment: TypeAlias = PayOrder | TenderOrder | TakeExchanged | AwaitPayment | FailPayment
OfGoods: TypeAlias = ShipOrder | DeliverOrder | ReturnGoods | stock.ReserveStock | stock.RecordOrderDue
Command: TypeAlias = PlaceOrder | OfPayment | OfGoods | CancelOrder | RefundOrder | ExchangeItems

REACHED = {
    "paid": {"paid", "shipped", "delivered", "refunded"},
    "shipped": {"shipped", "delivered", "refunded"},
    "delivered": {"delivered", "refunded"},
}
"""The states in which a step was taken before, or means nothing any more: the command changes nothing."""


def decide(command: Command, order: Order, _: Context) -> list[Event]:
    if isinstance(command, PlaceOrder):
        return [*place(command, order)]
    placed = order.placed
    if placed is None:
        raise Refusal("order_unknown", "No order has this id; place it first.")
    whose: dict[str, Any] = {"order": placed.order, "member": placed.member, "session": placed.session}
    match command:
        case PayOrder() | TenderOrder() | TakeExchanged() | AwaitPayment() | FailPayment():
            return decide_payment(command, order, placed, whose)
        case ShipOrder():
            if order.status in REACHED["shipped"]:
                return []
            require_status(order, "paid")
            return [*ship(command, order.fulfilment, whose)]
        case DeliverOrder():
            if order.status in REACHED["delivered"]:
                return []
            require_status(order, "paid", "shipped")
            return [*deliver(command, order.fulfilment, whose)]
        case ReturnGoods():
            return received(command, order, whose)
        case CancelOrder():
            if order.status == "cancelled":
                return []
            return [cancelled(command, order, placed, whose), *stock.give_up(order.stock, whose, command.at)]
        case RefundOrder():
            return list(refund(command, order) if order.priced is None else refund_priced(command, order))
        case ExchangeItems():
            return [*exchange(command, order)]
        case stock.ReserveStock():
            require_status(order, "placed")
            return [*stock.reserve(command, order.stock, goods_in(order, placed), whose)]
        case stock.RecordOrderDue():
            return [*stock.lapse(command, order.stock, whose)]
        case _:
            assert_never(command)


def decide_payment(command: OfPayment, order: Order, placed: OrderPlaced, whose: Mapping[str, Any]) -> list[Event]:
    if order.status in REACHED["paid"] and not isinstance(command, TenderOrder):
        return []
    if order.status not in REACHED["paid"]:
        require_status(order, "placed")
    match command:
        case PayOrder():
            if order.tenders:
                raise Refusal("order_part_paid", "A part of this order is paid: tender what is left.")
            return [paid(placed, command.at), *stock.take(order.stock, whose, command.at)]
        case TenderOrder():
            return with_payment(tender(command, order, placed), order, placed, whose)
        case TakeExchanged():
            payable = sum(line.paid for line in placed.lines)
            return with_payment(take_exchanged(command, whose, payable), order, placed, whose)
        case AwaitPayment():
            pending = await_payment(command, order, placed)
            return [*pending, *(stock.extend(order.stock, whose, command.until, command.at) if pending else ())]
        case FailPayment():
            failed = fail_payment(command, order, placed)
            return [*failed, *(stock.after_failure(order.stock, whose, command.at) if failed else ())]
        case _:
            assert_never(command)


def with_payment(tenders: list[OrderTendered], order: Order, placed: OrderPlaced, whose: Mapping[str, Any]) -> list[Event]:
    """Return what was tendered, and that the order is paid if nothing is left to pay."""
    if not tenders or tenders[-1].left:
        return [*tenders]
    at = tenders[-1].at
    return [*tenders, paid(placed, at), *stock.take(order.stock, whose, at)]


def received(command: ReturnGoods, order: Order, whose: Mapping[str, Any]) -> list[Event]:
    """Return the arrival of goods, and the stock that they become again."""
    if order.status in ("placed", "cancelled"):
        raise Refusal("order_not_paid", "Only what was paid and shipped can come back.")
    events = receive(command, order.fulfilment, whose)
    if not events or not command.restock:
        return [*events]
    back = ((order.lines[line - 1].product, units) for line, units in events[0].parts)
    return [*events, *stock.restore(order.stock, whose, stock.goods_of(back), command.at)]


def goods_in(order: Order, placed: OrderPlaced) -> stock.Units:
    """Return the units of each product that an order is about; fees and shipping are no goods."""
    if order.priced is not None:
        return stock.goods_of_trace(order.priced.trace)
    return stock.goods_of((line.product, line.quantity) for line in placed.lines)


def cancelled(command: CancelOrder, order: Order, placed: OrderPlaced, whose: Mapping[str, Any]) -> OrderCancelled:
    before = sum(order.given_back)
    back = max(0, sum(tender.amount for tender in order.tenders) - before)
    return OrderCancelled(
        **whose,
        currency=placed.currency,
        reason=command.reason,
        lines=to_give_back(command, order),
        at=command.at,
        tenders=to_tenders(order, before, back),
    )


def to_give_back(command: CancelOrder, order: Order) -> tuple[OrderLine, ...]:
    """Return what was paid for and not refunded yet; refuse where the order cannot be cancelled."""
    if not command.recorded:
        require_status(order, "placed", "paid")
        if any(order.refunded):
            raise Refusal("order_refunded", "A part of this order was refunded; refund the rest instead.")
    return () if order.status == "placed" else tuple(left_of(order))


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
            nothing = (0,) * len(event.lines)
            return Order("placed", event, nothing, nothing, fulfilment=first(line.quantity for line in event.lines))
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
            status = "shipped" if event.complete else order.status
            return replace(order, status=status, fulfilment=after(order.fulfilment, event))
        case OrderDelivered():
            status = "delivered" if event.complete else order.status
            return replace(order, status=status, fulfilment=after(order.fulfilment, event))
        case OrderReturned():
            return replace(order, fulfilment=after(order.fulfilment, event))
        case stock.StockReserved() | stock.StockTaken() | stock.StockReleased() | stock.StockRestored():
            return replace(order, stock=stock.after(order.stock, event))
        case OrderCancelled():
            return replace(order, status="cancelled", never_paid=order.status == "placed")
        case OrderRefunded():
            return after_refund(order, event)
        case OrderExchanged():
            return replace(order, exchanges={**order.exchanges, event.exchange: event.into})
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
        fulfilment=after_units_back(order.fulfilment, order.refunded, {line: units for line, units, _ in event.parts}),
        priced=after_refund_of_lines(order.priced, event.shares) if order.priced is not None else None,
    )


def due(order: Order, _: Context) -> int | None:
    """Return when the order's reservation of stock lapses."""
    return order.stock.until if order.stock is not None and order.stock.state == "reserved" else None


order = Decider("order", Order(), decide, evolve, due=due)
