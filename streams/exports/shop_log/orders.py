"""Orders and refunds as a shop would write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from aggregates.order.facts import OrderDelivered, OrderLine, OrderPaid, OrderPlaced, OrderRefunded, OrderShipped
from streams.exports.shop_log.amounts import Amounts

REACHED = ((OrderPaid, OrderDelivered), (OrderPaid, OrderShipped), (OrderPaid,), ())
STATUS = (None, "shipped", "paid", "placed")  # delivered goes without saying


def order_lines(event: OrderPlaced, ahead: Sequence[Any], amounts: Amounts) -> Iterator[dict[str, Any]]:
    """As far as the order came at once; with its products' departments left to the catalogue, then with them."""
    mine = [fact for fact in ahead if (getattr(fact, "order", None), fact.at) == (event.order, event.at)]
    steps = tuple(map(type, mine[1:]))
    status = STATUS[next(n for n, reached in enumerate(REACHED) if steps[: len(reached)] == reached)]
    line = {
        "type": "order",
        "at": event.at,
        "order_id": event.order,
        "member_id": event.member,
        "session_id": event.session,
        "cart": None if event.cart is None or event.cart.startswith(("m.", "s.")) else event.cart,
        "tax": amounts.text(event.tax) if event.tax else None,
        "coupons": event.coupons,
        "status": status,
    }
    for placed_in in (False, True):
        yield line | {"lines": [item(sold, event.unpriced, placed_in, amounts) for sold in event.lines]}


def item(line: OrderLine, unpriced: int, placed_in: bool, amounts: Amounts) -> dict[str, Any]:
    told: dict[str, Any] = {"product_id": line.product}
    if line.quantity != 1:
        told["quantity"] = line.quantity
    if not unpriced or line.gross:
        told["total"] = amounts.text(line.total)
    if line.gross != line.total:
        told["discount"] = amounts.text(line.gross - line.total)
    if line.paid != line.total:
        told["paid"] = amounts.text(line.paid)
    if placed_in:
        told |= {name: value for name, value in (("department", line.department), ("category", line.category)) if value}
    return told


def refund_lines(event: OrderRefunded, amounts: Amounts) -> Iterator[dict[str, Any]]:
    """All that is left; or by line, pro rata; or by line, for stated money."""
    line = {"type": "refund", "at": event.at, "order_id": event.order, "refund": event.refund}
    yield line
    touched = [(n, units, money) for n, (units, money) in enumerate(zip(event.units, event.given_back, strict=True), 1)]
    parts = [{"line": n, "quantity": units} for n, units, _ in touched if units]
    if parts:
        yield line | {"lines": parts}
    yield line | {"lines": [part(n, u, money, amounts) for n, u, money in touched if u or money]}


def part(line: int, units: int, money: int, amounts: Amounts) -> dict[str, Any]:
    """What is below nothing cannot be told: it is what the units come to."""
    return {"line": line, "quantity": units} | ({"total": amounts.text(money)} if money >= 0 else {})
