"""Which orders there are: each in short with its state, and lists of them by day and by product. They name nobody."""

from __future__ import annotations

from typing import TypeAlias, assert_never

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
        paid = sum(line.paid for line in event.lines)
        state = OrderState(event.order, event.at, event.currency, len(event.lines), paid)
        return replace(state, as_of=event.at, position=position)
    if view is None:
        return None
    view = replace(view, as_of=event.at, position=position)
    if isinstance(event, OrderExchanged):
        return replace(view, exchanged_into=(*view.exchanged_into, event.into))
    return after_goods(view, event) if isinstance(event, OfGoods) else after_payment(view, event)


def after_payment(view: OrderState, event: OfPayment) -> OrderState:
    match event:
        case OrderTendered():
            return replace(view, payment="part", exchange_of=event.moved_from or view.exchange_of)
        case OrderPaymentPending():
            return replace(view, payment="pending")
        case OrderPaymentFailed():
            return replace(view, payment="failed")
        case OrderPaid():
            return replace(view, status="paid", payment="paid")
        case OrderRefunded():
            status = "refunded" if event.complete else view.status
            payment = "refunded" if event.complete else "part_refunded"
            return replace(view, status=status, payment=payment, refunded=view.refunded + money_of(event))
        case OrderCancelled():
            payment = "refunded" if event.lines else view.payment
            return replace(view, status="cancelled", payment=payment, refunded=view.refunded + money_of(event))
        case _:
            assert_never(event)


def after_goods(view: OrderState, event: OfGoods) -> OrderState:
    match event:
        case OrderShipped():
            return replace(view, status="shipped", fulfilment="shipped") if event.complete else replace(view, fulfilment="part")
        case OrderDelivered():
            return replace(view, status="delivered", fulfilment="delivered") if event.complete else view
        case OrderReturned():
            return replace(view, fulfilment="returned" if event.complete else "part_returned")
        case StockTaken():
            return replace(view, oversold=event.oversold)
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
        delta.fields[f"orders-on:{day}"][event.order] = event.at
        for product in {line.product for line in event.lines if line.quantity}:
            delta.fields[list_of_product(product, day)][event.order] = event.at

    return Tally("orderlists", 2, ("orders-on", "orders-of"), frozenset((OrderPlaced,)), add)


def list_of_product(product: str, day: str) -> str:
    """Return the key of a product's orders in the month of a day.

    >>> list_of_product("tea", "2017-01-08")
    'orders-of:tea:2017-01'
    """
    return f"orders-of:{product}:{day[:7]}"
