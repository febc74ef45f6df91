"""How each priced order's price came about, how far it is paid, and what went back: one document an order, naming nobody."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from aggregates.order.events import (
    OrderCancelled,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentPending,
    OrderPriced,
    OrderRefunded,
    OrderTendered,
)
from aggregates.pricing.trace import Trace
from aggregates.value import Value, replace
from projections.projection import one_document


class RefundShown(Value):
    """``amount`` went back, ``tax`` of it; ``fee`` was kept of it, ``points`` returned."""

    refund: str
    kind: str
    amount: int
    tax: int
    fee: int
    points: int
    at: int


class OrderPrice(Value):
    """``payment``: ``none``, ``pending``, ``failed``, ``part``, ``paid``, ``part_refunded``, ``refunded`` or ``cancelled``."""

    order: str
    trace: Trace
    payment: str
    tendered: int
    refunded: int
    refunds: tuple[RefundShown, ...]
    as_of: int
    position: int


Later: TypeAlias = OrderTendered | OrderPaymentPending | OrderPaymentFailed | OrderPaid | OrderCancelled | OrderRefunded
Event: TypeAlias = OrderPriced | Later


def project(view: OrderPrice | None, event: Event, position: int) -> OrderPrice | None:
    if isinstance(event, OrderPriced):
        return OrderPrice(event.order, event.trace, "none", 0, 0, (), event.at, position)
    if view is None:
        return None  # it was imported, so it has no trace
    view = replace(view, as_of=event.at, position=position)
    match event:
        case OrderTendered():
            return replace(view, payment="part", tendered=view.tendered + event.amount)
        case OrderPaymentPending():
            return replace(view, payment="pending")
        case OrderPaymentFailed():
            return replace(view, payment="part" if view.tendered else "failed")
        case OrderPaid():
            return replace(view, payment="paid", tendered=view.trace.payable)
        case OrderCancelled():
            back = sum(line.paid for line in event.lines)
            return replace(view, payment="cancelled", refunded=view.refunded + back)
        case OrderRefunded():
            return with_refund(view, event)
        case _:
            assert_never(event)


def with_refund(view: OrderPrice, event: OrderRefunded) -> OrderPrice:
    amount = sum(money for _, _, money in event.parts)
    shown = RefundShown(event.refund, event.kind, amount, event.tax, event.fee, event.points, event.at)
    payment = "refunded" if event.complete else "part_refunded"
    return replace(view, payment=payment, refunded=view.refunded + amount, refunds=(*view.refunds, shown))


def key(event: Event) -> str:
    return f"price:{event.order}"


order_prices = one_document(
    "prices", 1, {"price": OrderPrice}, (OrderPriced, *Later.__args__), key, project, makes=[OrderPriced]
)
