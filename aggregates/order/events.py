"""What can be true of an order: its lines, its events, its state.

Money is minor units and stands as totals of a line (a unit price need not divide into it): ``gross`` before the shop's
discounts, ``total`` after them, ``paid`` after tender such as a manufacturer's coupon, which may exceed the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aggregates.pricing.refund import Refundable, RefundedLine
from aggregates.pricing.tenders import Tender, TenderKind
from aggregates.pricing.trace import Trace
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


class OrderPriced(Value):
    """How the price of an order came about; an order that was imported has none. The lines are the order's, in their order."""

    order: str
    member: str | None
    session: str | None
    trace: Trace
    at: int


class OrderTendered(Value):
    """A part of an order was paid; ``tender`` names it. ``left``: what remains to be paid."""

    order: str
    member: str | None
    session: str | None
    tender: str
    kind: TenderKind
    amount: int
    left: int
    at: int


class OrderPaymentPending(Value):
    """The provider has not answered yet; ``until``: when to give up waiting."""

    order: str
    member: str | None
    session: str | None
    payment: str
    until: int
    at: int


class OrderPaymentFailed(Value):
    order: str
    member: str | None
    session: str | None
    payment: str
    reason: str
    at: int


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


class TenderBack(Value):
    """What goes back to one tender of the order."""

    tender: str
    amount: int


class OrderRefunded(Value):
    """``lines``: what is given back, and ``units`` how many of each line of the order (0 for lines left alone).

    ``given_back``: the money of each line of the order that goes back now.
    ``net_retained``: what the order is still worth, without tax, after this refund.
    ``kind``: ``goods``, ``money``, ``goodwill``, ``shipping``, ``mixed``, or "not told" of an older refund, whose next fields
    tell nothing. ``tax``, ``shipping``: what of the money is that; ``fee``: what was kept of it; ``points``: those that were
    spent on what came back; ``shares``: the same by line, of an order with a price trace.
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
    kind: str = "not told"
    reason: str = ""
    tax: int = 0
    shipping: int = 0
    fee: int = 0
    points: int = 0
    tenders: tuple[TenderBack, ...] = ()
    shares: tuple[RefundedLine, ...] = ()


Payment: TypeAlias = OrderTendered | OrderPaymentPending | OrderPaymentFailed
Event: TypeAlias = (
    OrderPlaced | OrderPriced | Payment | OrderPaid | OrderShipped | OrderDelivered | OrderCancelled | OrderRefunded
)


@dataclass(frozen=True)
class Order:
    """``refunded``: units given back, by line (an adjustment, quantity 0, counts as one); ``given_back``: money, by line."""

    status: str = "unknown"  # unknown, placed, paid, shipped, delivered, cancelled, refunded
    placed: OrderPlaced | None = None
    refunded: tuple[int, ...] = ()
    given_back: tuple[int, ...] = ()
    refunds: tuple[str, ...] = ()
    net: int = 0  # what it is worth to the programme now
    priced: Refundable | None = None  # what is left of its trace
    tenders: tuple[Tender, ...] = ()
    payments: tuple[str, ...] = ()  # attempts that are pending or have failed

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
