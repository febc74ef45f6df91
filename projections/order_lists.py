"""Which orders there are: each in short with its state, and lists of them by day and by product. They name nobody."""

from __future__ import annotations

from typing import Any, TypeAlias, assert_never

from aggregates.calendar import local_day
from aggregates.delta import Delta
from aggregates.order.events import (
    OrderCancelled,
    OrderExchanged,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentPending,
    OrderPlaced,
    OrderRefunded,
    OrderTendered,
)
from aggregates.order.fulfilment import OrderDelivered, OrderReturned, OrderShipped
from aggregates.order.stock import StockTaken
from aggregates.value import Value, replace
from projections.projection import Tally, one_document


class OrderState(Value):
    """``status``: placed, paid, shipped, delivered, cancelled, refunded. ``payment``: none, pending, failed, part, paid,
    part_refunded, refunded. ``fulfilment``: none, part, shipped, delivered, part_returned, returned. Money is minor units.

    ``oversold``: products that were sold without being in stock. ``exchange_of``: the order that came back for this one;
    ``exchanged_into``: those that went out for what came back of this one.
    """

    order: str
    placed_at: int
    currency: str
    lines: int
    paid: int
    status: str = "placed"
    payment: str = "none"
    fulfilment: str = "none"
    refunded: int = 0
    oversold: tuple[str, ...] = ()
    as_of: int = 0
    position: int = 0
    exchange_of: str | None = None
    exchanged_into: tuple[str, ...] = ()


OfPayment: TypeAlias = OrderTendered | OrderPaymentPending | OrderPaymentFailed | OrderPaid | OrderRefunded | OrderCancelled
OfGoods: TypeAlias = OrderShipped | OrderDelivered | OrderReturned | StockTaken
Event: TypeAlias = OrderPlaced | OfPayment | OfGoods | OrderExchanged


def project(view: OrderState | None, event: Event, position: int) -> OrderState | None:
    if isinstance(event, OrderPlaced):
        paid = sum([line.paid for line in event.lines])
        return OrderState(event.order, event.at, event.currency, len(event.lines), paid, as_of=event.at, position=position)
    if view is None:
        return None
    changed = changes_of(view, event)
    return replace(view, as_of=event.at, position=position, **changed)


def changes_of(view: OrderState, event: OfPayment | OfGoods | OrderExchanged) -> dict[str, Any]:
    """Return the fields that an event changes."""
    if isinstance(event, OrderExchanged):
        return {"exchanged_into": (*view.exchanged_into, event.into)}
    return after_goods(event) if type(event) in GOODS else after_payment(view, event)  # type: ignore[arg-type]


def after_payment(view: OrderState, event: OfPayment) -> dict[str, Any]:
    """Return the fields that a payment, a refund or a cancellation changes."""
    match event:
        case OrderPaid():
            return {"status": "paid", "payment": "paid"}
        case OrderTendered():
            return {"payment": "part", "exchange_of": event.moved_from or view.exchange_of}
        case OrderPaymentPending():
            return {"payment": "pending"}
        case OrderPaymentFailed():
            return {"payment": "failed"}
        case OrderRefunded():
            status = "refunded" if event.complete else view.status
            payment = "refunded" if event.complete else "part_refunded"
            return {"status": status, "payment": payment, "refunded": view.refunded + money_of(event)}
        case OrderCancelled():
            payment = "refunded" if event.lines else view.payment
            return {"status": "cancelled", "payment": payment, "refunded": view.refunded + money_of(event)}
        case _:
            assert_never(event)


GOODS: frozenset[type] = frozenset(OfGoods.__args__)


def after_goods(event: OfGoods) -> dict[str, Any]:
    """Return the fields that a movement of goods changes."""
    match event:
        case OrderDelivered():
            return {"status": "delivered", "fulfilment": "delivered"} if event.complete else {}
        case OrderShipped():
            return {"status": "shipped", "fulfilment": "shipped"} if event.complete else {"fulfilment": "part"}
        case OrderReturned():
            return {"fulfilment": "returned" if event.complete else "part_returned"}
        case StockTaken():
            return {"oversold": event.oversold}
        case _:
            assert_never(event)


def money_of(event: OrderRefunded | OrderCancelled) -> int:
    return sum(line.paid for line in event.lines)


order_states = one_document(
    "orderstates", 2, {"order-state": OrderState}, Event.__args__, lambda event: f"order-state:{event.order}", project,
    makes=[OrderPlaced],
)  # fmt: skip


def order_lists(zone: str) -> Tally:
    """Return the lists of orders by day of the shop, and by product and month, so that none grows for ever."""

    def add(delta: Delta, event: OrderPlaced) -> None:
        day = local_day(event.at, zone)
        order, at, fields = event.order, event.at, delta.fields
        fields[f"orders-on:{day}"][order] = at
        for line in event.lines:
            if line.quantity:
                fields[list_of_product(line.product, day)][order] = at

    return Tally("orderlists", 2, ("orders-on", "orders-of"), frozenset((OrderPlaced,)), add)


def list_of_product(product: str, day: str) -> str:
    """Return the key of a product's orders in the month of a day.

    >>> list_of_product("tea", "2017-01-08")
    'orders-of:tea:2017-01'
    """
    return f"orders-of:{product}:{day[:7]}"
