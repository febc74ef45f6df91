"""Daily sales by the shop's calendar day: in all, by department and by category. Every figure is a sum of integers.

Money is minor units: ``gross`` before discounts, ``discount`` the shop's, ``total`` after it, ``tender`` what coupons paid,
``paid`` the rest. Cancelled and refunded money is counted apart, on the day it was given back; it changes no sale.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TypeAlias, assert_never

from aggregates.calendar import local_day
from aggregates.delta import Delta
from aggregates.member import MemberRegistered
from aggregates.order.events import OrderCancelled, OrderPaid, OrderRefunded
from projections.projection import Tally

Event: TypeAlias = OrderPaid | OrderRefunded | OrderCancelled | MemberRegistered

UNKNOWN = "(unknown)"


def project(zone: str, delta: Delta, event: Event) -> None:
    day = f"sales:{local_day(event.at, zone)}"
    match event:
        case OrderPaid():
            add_sale(delta, day, event)
        case OrderRefunded():
            delta.count(day, "refunds", 1)
            delta.count(day, "refunded", sum(line.paid for line in event.lines))
        case OrderCancelled():
            delta.count(day, "cancellations", 1)
            delta.count(day, "cancelled", sum(line.paid for line in event.lines))
        case MemberRegistered():
            delta.count(day, "members", 1)
        case _:
            assert_never(event)


def add_sale(delta: Delta, day: str, event: OrderPaid) -> None:
    departments, categories = delta.counts[f"{day}:department"], delta.counts[f"{day}:category"]
    gross = total = paid = 0
    for line in event.lines:
        gross += line.gross
        total += line.total
        paid += line.paid
        for counts, name in ((departments, line.department), (categories, line.category)):
            lines, of_gross, of_total, of_paid = fields_of(name or UNKNOWN)
            counts[lines] += 1
            counts[of_gross] += line.gross
            counts[of_total] += line.total
            counts[of_paid] += line.paid
    whole = delta.counts[day]
    whole["orders"] += 1
    whole["lines"] += len(event.lines)
    whole["gross"] += gross
    whole["discount"] += gross - total
    whole["total"] += total
    whole["tender"] += total - paid
    whole["paid"] += paid


@lru_cache(maxsize=4096)
def fields_of(name: str) -> tuple[str, str, str, str]:
    """Return the fields of a department or category; there are few, and a line needs those of both."""
    return f"{name}:lines", f"{name}:gross", f"{name}:total", f"{name}:paid"


def sales(zone: str) -> Tally:
    return Tally("sales", 1, ("sales",), frozenset(Event.__args__), partial(project, zone))
