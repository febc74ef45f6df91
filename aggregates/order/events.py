"""What can be true of an order: its lines, its events, its state.

Money is minor units and stands as totals of a line (a unit price need not divide into it): ``gross`` before the shop's
discounts, ``total`` after them, ``paid`` after tender such as a manufacturer's coupon, which may exceed the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aggregates.value import Value


class OrderLine(Value):
    """``quantity`` 0 is an adjustment: money without goods. Department and category are the product's when it was sold."""

    product: str
    quantity: int
    gross: int
    total: int
    paid: int
    department: str | None = None
    category: str | None = None


class OrderPlaced(Value):
    """``coupons``: codes that were given with it. ``unpriced``: lines of which no price is known; they stand at 0."""

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


class OrderPaid(Value):
    """Complete in itself: whoever counts sales or learns from them needs no other event. ``net`` is without tax."""

    order: str
    member: str | None
    session: str | None
    currency: str
    lines: tuple[OrderLine, ...]
    net: int
    at: int


class OrderShipped(Value):
    order: str
    member: str | None
    session: str | None
    at: int


class OrderDelivered(Value):
    order: str
    member: str | None
    session: str | None
    at: int


class OrderCancelled(Value):
    """``lines``: what had been paid for and is given back; empty if the order was never paid."""

    order: str
    member: str | None
    session: str | None
    currency: str
    reason: str
    lines: tuple[OrderLine, ...]
    at: int


class OrderRefunded(Value):
    """``lines``: what is given back, and ``units`` how many of each line of the order (0 for lines left alone).

    ``given_back``: the money of each line of the order that goes back now.
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
    given_back: tuple[int, ...]


Event: TypeAlias = OrderPlaced | OrderPaid | OrderShipped | OrderDelivered | OrderCancelled | OrderRefunded


@dataclass(frozen=True)
class Order:
    """``refunded``: units given back, by line (an adjustment, quantity 0, counts as one); ``given_back``: money, by line."""

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
    """The money of each line of an order that a refund gave back, from the days when it named only the lines it touched."""
    touched = iter(lines)
    return (next(touched)["paid"] if more else 0 for more in units)


def net_of(paid: int, tax: int) -> int:
    """What a purchase is worth to the programme: never below nothing, whatever the tender."""
    return max(0, paid - tax)
