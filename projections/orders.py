"""Which are a member's last 50 orders, newest first, and each of them in full; an older one leaves, the log keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from aggregates.member import MemberErased
from aggregates.order.events import (
    OrderCancelled,
    OrderDelivered,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderShipped,
)
from aggregates.value import Value, replace
from projections.projection import Documents

KEPT = 50


class OrderInFull(Value):
    """Money is minor units of ``currency``; ``refunded`` is what was given back of ``paid``."""

    order: str
    member: str
    cart: str | None
    status: str
    currency: str
    lines: tuple[OrderLine, ...]
    gross: int
    total: int
    paid: int
    tax: int
    refunded: int
    placed_at: int
    paid_at: int | None
    shipped_at: int | None
    delivered_at: int | None
    position: int


class OrderEntry(Value):
    order: str
    at: int


class MemberOrders(Value):
    """Which orders, newest first; what became of each stands in the order itself."""

    member: str
    orders: tuple[OrderEntry, ...]
    position: int


Views: TypeAlias = Mapping[str, MemberOrders | OrderInFull | None]
Later: TypeAlias = OrderPaid | OrderShipped | OrderDelivered | OrderCancelled | OrderRefunded
Event: TypeAlias = OrderPlaced | Later | MemberErased


def project(views: Views, event: Event, position: int) -> Views:
    if event.member is None:
        return {}
    match event:
        case MemberErased():
            return {orders_of(event): None} | {f"order:{entry.order}": None for entry in known(views, event, position).orders}
        case OrderPlaced():
            return {f"order:{event.order}": placed(event, position)} | listed(known(views, event, position), event, position)
        case _:
            view = views.get(f"order:{event.order}")
            if not isinstance(view, OrderInFull):
                return {}  # older than the last 50
            return {f"order:{event.order}": changed(view, event, position)}


def known(views: Views, event: OrderPlaced | MemberErased, position: int) -> MemberOrders:
    found = views.get(orders_of(event))
    return found if isinstance(found, MemberOrders) else MemberOrders(event.member or "", (), position)


def placed(event: OrderPlaced, position: int) -> OrderInFull:
    return OrderInFull(
        order=event.order,
        member=event.member or "",
        cart=event.cart,
        status="placed",
        currency=event.currency,
        lines=event.lines,
        gross=sum(line.gross for line in event.lines),
        total=sum(line.total for line in event.lines),
        paid=sum(line.paid for line in event.lines),
        tax=event.tax,
        refunded=0,
        placed_at=event.at,
        paid_at=None,
        shipped_at=None,
        delivered_at=None,
        position=position,
    )


def listed(orders: MemberOrders, event: OrderPlaced, position: int) -> dict[str, MemberOrders | None]:
    """The list with the new order in its place by date, and removals of the orders that this pushes out."""
    entries = (OrderEntry(event.order, event.at), *orders.orders)
    if orders.orders and orders.orders[0].at > event.at:
        entries = tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))
    kept = MemberOrders(orders.member, entries[:KEPT], position)
    return {f"orders:{orders.member}": kept} | {f"order:{old.order}": None for old in entries[KEPT:]}


def changed(view: OrderInFull, event: Later, position: int) -> OrderInFull:
    match event:
        case OrderPaid():
            return replace(view, position=position, status="paid", paid_at=event.at)
        case OrderShipped():
            return replace(view, position=position, status="shipped", shipped_at=event.at)
        case OrderDelivered():
            return replace(view, position=position, status="delivered", delivered_at=event.at)
        case OrderCancelled():
            back = view.refunded + sum(line.paid for line in event.lines)
            return replace(view, position=position, status="cancelled", refunded=back)
        case OrderRefunded():
            back = view.refunded + sum(line.paid for line in event.lines)
            status = "refunded" if event.complete else view.status
            return replace(view, position=position, status=status, refunded=back)


def orders_of(event: OrderPlaced | MemberErased) -> str:
    return f"orders:{event.member}"


def order_alone(event: OrderPlaced | Later) -> tuple[str, ...]:
    return (f"order:{event.order}",) if event.member is not None else ()


def list_alone(event: OrderPlaced | MemberErased) -> tuple[str, ...]:
    return (orders_of(event),) if event.member is not None else ()


orders = Documents(
    "orders",
    1,
    types={"orders": MemberOrders, "order": OrderInFull},
    keys={OrderPlaced: list_alone, MemberErased: list_alone, **dict.fromkeys(Later.__args__, order_alone)},
    project=project,
    makes={OrderPlaced: order_alone},
)
