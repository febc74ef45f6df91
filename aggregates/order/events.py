"""The events and the state of an order.

Money is minor units. A line holds totals, since its price need not divide by its units: ``gross`` before the shop's discounts,
``total`` after them, and ``paid`` after tender such as a manufacturer's coupon, which may exceed the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from aggregates.fields import Count, ProductId
from aggregates.value import Value


class OrderLine(Value):
    """A line of an order. ``quantity`` 0 is an adjustment: money without goods. ``paid`` may be negative.

    Department and category are those that the product had when it was sold.
    """

    product: ProductId
    quantity: Annotated[int, Count("quantity")]
    gross: Annotated[int, Count("gross")]
    total: Annotated[int, Count("total")]
    paid: int
    department: str | None = None
    category: str | None = None


class OrderPlaced(Value, kw_only=True):
    """``coupons`` are the codes given with the order. ``unpriced`` counts lines whose price is unknown; they stand at 0."""

    order: str
    member: str | None
    session: str | None
    cart: str | None
    currency: str
    lines: tuple[OrderLine, ...]
    tax: int
    at: int
    coupons: tuple[str, ...] = ()
    unpriced: int = 0


class OrderPaid(Value, kw_only=True):
    """Complete, so that folds of sales need no other event. ``net`` is without tax."""

    order: str
    member: str | None
    session: str | None
    currency: str
    lines: tuple[OrderLine, ...]
    net: int
    at: int


class OrderShipped(Value, kw_only=True):
    order: str
    member: str | None
    session: str | None
    at: int


class OrderDelivered(Value, kw_only=True):
    order: str
    member: str | None
    session: str | None
    at: int


class OrderCancelled(Value, kw_only=True):
    """``lines`` were paid for and are given back; empty if the order was never paid."""

    order: str
    member: str | None
    session: str | None
    currency: str
    reason: str
    lines: tuple[OrderLine, ...]
    at: int


class OrderRefunded(Value, kw_only=True):
    """``lines`` are given back now: ``units`` of each line of the order, 0 for lines left alone.

    ``given_back`` is the money that goes back for each line of the order, and ``net_retained`` what the order is still worth,
    without tax, after this refund.
    """

    order: str
    refund: str
    member: str | None
    session: str | None
    currency: str
    units: tuple[int, ...]
    lines: tuple[OrderLine, ...]
    net_retained: int
    complete: bool
    at: int
    given_back: tuple[int, ...]


Event: TypeAlias = OrderPlaced | OrderPaid | OrderShipped | OrderDelivered | OrderCancelled | OrderRefunded


@dataclass(frozen=True)
class Order:
    """``refunded`` counts the units given back of each line, an adjustment as one; ``given_back`` is their money."""

    status: str = "unknown"  # unknown, placed, paid, shipped, delivered, cancelled, refunded
    placed: OrderPlaced | None = None
    refunded: tuple[int, ...] = ()
    given_back: tuple[int, ...] = ()
    refunds: tuple[str, ...] = ()
    net: int = 0  # what it is worth to the programme now

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        return self.placed.lines if self.placed else ()


def given_back_of(units: Iterable[int], lines: Iterable[Mapping[str, int]]) -> Iterator[int]:
    """Yield the money that an old refund gave back for each line of the order; it named only the lines it touched."""
    touched = iter(lines)
    return (next(touched)["paid"] if more else 0 for more in units)


def net_of(paid: int, tax: int) -> int:
    """Return what a purchase is worth to the programme, in minor units: never below 0, whatever the tender."""
    return max(0, paid - tax)
