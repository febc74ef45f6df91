"""What can be true of an order: its lines, its events, its state.

Money is minor units and stands as totals of a line (a unit price need not divide into it): ``gross`` before the shop's
discounts, ``total`` after them, ``paid`` after tender such as a manufacturer's coupon, which may exceed the total.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class OrderLine:
    """``quantity`` 0 is an adjustment: money without goods. Department and category are the product's when it was sold."""

    product: str
    quantity: int
    gross: int
    total: int
    paid: int
    department: str | None = None
    category: str | None = None


@dataclass(frozen=True)
class OrderPlaced:
    order: str
    member: str | None
    session: str | None
    cart: str | None
    currency: str
    lines: tuple[OrderLine, ...]
    tax: int
    at: int


@dataclass(frozen=True)
class OrderPaid:
    """Complete in itself: whoever counts sales or learns from them needs no other event. ``net`` is without tax."""

    order: str
    member: str | None
    session: str | None
    currency: str
    lines: tuple[OrderLine, ...]
    net: int
    at: int


@dataclass(frozen=True)
class OrderShipped:
    order: str
    member: str | None
    session: str | None
    at: int


@dataclass(frozen=True)
class OrderDelivered:
    order: str
    member: str | None
    session: str | None
    at: int


@dataclass(frozen=True)
class OrderCancelled:
    """``lines``: what had been paid for and is given back; empty if the order was never paid."""

    order: str
    member: str | None
    session: str | None
    currency: str
    reason: str
    lines: tuple[OrderLine, ...]
    at: int


@dataclass(frozen=True)
class OrderRefunded:
    """``lines``: what is given back, and ``units`` how many of each line of the order (0 for lines left alone).

    ``net_retained``: what the order is still worth, without tax, after this refund.
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


Event: TypeAlias = OrderPlaced | OrderPaid | OrderShipped | OrderDelivered | OrderCancelled | OrderRefunded


@dataclass(frozen=True)
class Order:
    """``refunded``: units given back, by line; an adjustment (quantity 0) counts as one unit."""

    status: str = "unknown"  # unknown, placed, paid, shipped, delivered, cancelled, refunded
    placed: OrderPlaced | None = None
    refunded: tuple[int, ...] = ()
    refunds: tuple[str, ...] = ()
    net: int = 0  # what it is worth to the programme now

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        return self.placed.lines if self.placed else ()


def net_of(paid: int, tax: int) -> int:
    """What a purchase is worth to the programme: never below nothing, whatever the tender."""
    return max(0, paid - tax)
