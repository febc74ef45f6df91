"""What a refund asked for, found again from what it gave back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aggregates.decider import Refusal
from aggregates.order.events import Order, OrderRefunded
from aggregates.pricing.refund import Refundable, RefundWish, refund

Wish = dict[str, Any]


def refund_wishes(event: OrderRefunded, before: Order) -> Iterator[Wish]:
    """Yield values of ``RefundOrder`` that may have asked for this refund; ``before``: the order until then."""
    if before.priced is None:
        yield {"parts": refund_parts(event)}
        return
    units = [{"line": line, "quantity": units} for line, units, _ in event.parts if units]
    more = beyond_units(event, before.priced)
    money = [{"line": line, "quantity": 0, "total": amount} for line, amount in more.items() if amount > 0]
    if units and not money:
        yield {"parts": units}
        return
    yield {"parts": [*units, *money]}
    yield {"parts": units, "goodwill": sum(more.values())}


def refund_parts(event: OrderRefunded) -> list[dict[str, int]]:
    """Return the parts of a refund, by line. Negative money is left out: it follows from the units."""
    return [{"line": line, "quantity": units} | ({"total": money} if money >= 0 else {}) for line, units, money in event.parts]


def beyond_units(event: OrderRefunded, before: Refundable) -> dict[int, int]:
    """Return the money, fees included, that each line gave back beside what its units bring back; lines count from 1."""
    by_units = {share.line: share.amount for share in shares_of_units(event, before)}
    back = {share.line: share.amount + share.fee for share in event.shares}
    return {
        line: back.get(name, 0) - by_units.get(name, 0)
        for line, name in enumerate(before.lines, 1)
        if back.get(name, 0) != by_units.get(name, 0)
    }


def shares_of_units(event: OrderRefunded, before: Refundable) -> Any:
    names = list(before.lines)
    units = tuple((names[line - 1], units) for line, units, _ in event.parts if units)
    try:
        return refund(before, RefundWish(units))[0] if units else ()
    except Refusal:
        return ()
