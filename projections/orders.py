"""A member's last 50 orders: a list of them, newest first, and each in full. Older ones leave; the log keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from aggregates.member import MemberErased
from aggregates.order.events import (
    OrderCancelled,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
)
from aggregates.order.fulfilment import OrderDelivered, OrderShipped
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
    """Which orders, newest first. What became of each is in the order itself."""

    member: str
    orders: tuple[OrderEntry, ...]
    position: int


OrderViews: TypeAlias = Mapping[str, MemberOrders | OrderInFull | None]
Later: TypeAlias = OrderPaid | OrderShipped | OrderDelivered | OrderCancelled | OrderRefunded
Event: TypeAlias = OrderPlaced | Later | MemberErased


def project(views: OrderViews, event: Event, position: int) -> OrderViews:
    if event.member is None:
        return {}
    match event:
        case MemberErased():
            forgotten = known_list(views, event, position).orders
            return {list_key(event): None} | {f"order:{entry.order}": None for entry in forgotten}
        case OrderPlaced():
            listed = add_to_list(known_list(views, event, position), event, position)
            return {f"order:{event.order}": new_order(event, position)} | listed
        case _:
            view = views.get(f"order:{event.order}")
            if not isinstance(view, OrderInFull):
                return {}  # older than the last 50
            return {f"order:{event.order}": change_order(view, event, position)}


def known_list(views: OrderViews, event: OrderPlaced | MemberErased, position: int) -> MemberOrders:
    found = views.get(list_key(event))
    return found if isinstance(found, MemberOrders) else MemberOrders(event.member or "", (), position)


def new_order(event: OrderPlaced, position: int) -> OrderInFull:
    return OrderInFull(
        order=event.order,
        member=event.member or "",
        cart=event.cart,
        status="placed",
        currency=event.currency,
        lines=event.lines,
        gross=sum([line.gross for line in event.lines]),
        total=sum([line.total for line in event.lines]),
        paid=sum([line.paid for line in event.lines]),
        tax=event.tax,
        refunded=0,
        placed_at=event.at,
        paid_at=None,
        shipped_at=None,
        delivered_at=None,
        position=position,
    )


def add_to_list(orders: MemberOrders, event: OrderPlaced, position: int) -> dict[str, MemberOrders | None]:
    """Return the list with the new order in its place by date, and remove the orders that this pushes out."""
    entries = (OrderEntry(event.order, event.at), *orders.orders)
    if orders.orders and orders.orders[0].at > event.at:
        entries = tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))
    kept = MemberOrders(orders.member, entries[:KEPT], position)
    return {f"orders:{orders.member}": kept} | {f"order:{old.order}": None for old in entries[KEPT:]}


def change_order(view: OrderInFull, event: Later, position: int) -> OrderInFull:
    match event:
        case OrderPaid():
            return replace(view, position=position, status="paid", paid_at=event.at)
        case OrderShipped():
            status = "shipped" if event.complete else view.status
            return replace(view, position=position, status=status, shipped_at=event.at)
        case OrderDelivered():
            if not event.complete:
                return replace(view, position=position)
            return replace(view, position=position, status="delivered", delivered_at=event.at)
        case OrderCancelled():
            back = view.refunded + sum(line.paid for line in event.lines)
            return replace(view, position=position, status="cancelled", refunded=back)
        case OrderRefunded():
            back = view.refunded + sum(line.paid for line in event.lines)
            status = "refunded" if event.complete else view.status
            return replace(view, position=position, status=status, refunded=back)


def list_key(event: OrderPlaced | MemberErased) -> str:
    return f"orders:{event.member}"


def needs_order(event: OrderPlaced | Later) -> tuple[str, ...]:
    return (f"order:{event.order}",) if event.member is not None else ()


def needs_list(event: OrderPlaced | MemberErased) -> tuple[str, ...]:
    return (list_key(event),) if event.member is not None else ()


orders = Documents(
    "orders",
    1,
    types={"orders": MemberOrders, "order": OrderInFull},
    keys={OrderPlaced: needs_list, MemberErased: needs_list, **dict.fromkeys(Later.__args__, needs_order)},
    project=project,
    makes={OrderPlaced: needs_order},
)
