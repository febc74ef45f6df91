"""The rows of orders, their lines and their refunds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from infra.spilling import SpillFile, SpillingRecords
from streams.replay.snapshot.tables import TABLES

COLUMNS = [column.name for column in TABLES["orders"].columns if column.name != "order_id"]

STATUS = {
    "OrderPaid": "paid",
    "OrderShipped": "shipped",
    "OrderDelivered": "delivered",
    "OrderCancelled": "cancelled",
}


class OrderRows:
    """``day``: returns the shop's day and month of an instant. ``spill``: where orders wait that memory has no room for."""

    def __init__(self, day: Callable[[int], tuple[int, str]], spill: SpillFile) -> None:
        self._day = day
        self._orders = SpillingRecords(spill, sums=("refunded",))

    def place(self, event: Any, position: int) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Take an order that was placed and yield its lines with their month."""
        day, month = self._day(event.at)
        sums = {name: sum(getattr(line, name) for line in event.lines) for name in ("gross", "total", "paid")}
        told = {
            "member": event.member, "session": event.session, "cart": event.cart, "status": "placed",
            "currency": event.currency, **sums, "tax": event.tax, "lines": len(event.lines), "placed_at": event.at,
            "placed_on": day, "position": position, "month": month,
        }  # fmt: skip
        self._orders.change((event.order,), told)
        for number, line in enumerate(event.lines, 1):
            figures = (line.quantity, line.gross, line.total, line.paid, line.department, line.category)
            yield (event.order, number, line.product, *figures, day, position), month

    def change(self, event: Any, position: int) -> None:
        """Take an order that was paid, shipped, delivered or cancelled."""
        status = STATUS[type(event).__name__]
        more = {"net": event.net} if status == "paid" else {}
        told = {"status": status, f"{status}_at": event.at, "position": position, "changed_by": event.member, **more}
        self._orders.change((event.order,), told)

    def refund(self, event: Any, position: int) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Take a refund and yield its lines with their month."""
        day, month = self._day(event.at)
        self._orders.add((event.order,), "refunded", sum(line.paid for line in event.lines))
        status = {"status": "refunded"} if event.complete else {}
        self._orders.change((event.order,), {"position": position, "changed_by": event.member, **status})
        for line, (number, units, money) in zip(event.lines, event.parts, strict=True):
            values = (event.order, event.refund, number, line.product, units, money, event.complete, event.at, day, position)
            yield values, month

    def rows(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Yield each order with its month, ``none`` for one that was never placed, by its id."""
        for (order,), told in self._orders.items():
            told.setdefault("member", told.get("changed_by"))
            told.setdefault("refunded", 0)
            yield (order, *(told.get(name) for name in COLUMNS)), told.get("month", "none")
