"""Orders and refunds as a shop would write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from aggregates.order.events import OrderDelivered, OrderLine, OrderPaid, OrderPlaced, OrderRefunded, OrderShipped
from streams.exports.shop_log.amounts import Amounts
from streams.exports.shop_log.commands import parts

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
    """All that is left; or by line, pro rata; or by line, for stated money; or nothing, of a line that can bear it."""
    line = {"type": "refund", "at": event.at, "order_id": event.order, "refund": event.refund}
    yield line
    told = parts(event)
    if not told:
        yield from (line | {"lines": [{"line": n, "quantity": 0, "total": "0"}]} for n, _ in enumerate(event.units, 1))
        return
    if all(part["quantity"] for part in told):
        yield line | {"lines": [{"line": part["line"], "quantity": part["quantity"]} for part in told]}
    yield line | {"lines": [part | ({"total": amounts.text(part["total"])} if "total" in part else {}) for part in told]}
