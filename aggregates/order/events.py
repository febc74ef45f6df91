"""The events and the state of an order.

Money is minor units. A line holds totals, since its price need not divide by its units: ``gross`` before the shop's discounts,
``total`` after them, and ``paid`` after tender such as a manufacturer's coupon, which may exceed the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from aggregates.fields import Count, ProductId
from aggregates.order import stock
from aggregates.order.fulfilment import Fulfilment, OrderDelivered, OrderReturned, OrderShipped
from aggregates.pricing.refund import Refundable, RefundedLine
from aggregates.pricing.tenders import Tender, TenderKind
from aggregates.pricing.trace import Trace
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


class OrderPriced(Value, kw_only=True):
    """How the price of an order came about; an order that was imported has none. The lines are the order's, in their order."""

    order: str
    member: str | None
    session: str | None
    trace: Trace
    at: int


class OrderTendered(Value, kw_only=True):
    """A part of an order was paid; ``tender`` names it.

    ``left``: what remains to be paid. ``gift_card``: the account that it was taken from. ``moved_from``: the order of which
    goods came back in exchange for this one; nothing was taken for it anew.
    """

    order: str
    member: str | None
    session: str | None
    tender: str
    kind: TenderKind
    amount: int
    left: int
    at: int
    gift_card: str | None = None
    moved_from: str | None = None


class OrderPaymentPending(Value, kw_only=True):
    """The provider has not answered yet; ``until``: when to give up waiting."""

    order: str
    member: str | None
    session: str | None
    payment: str
    until: int
    at: int


class OrderPaymentFailed(Value, kw_only=True):
    order: str
    member: str | None
    session: str | None
    payment: str
    reason: str
    at: int


class OrderPaid(Value, kw_only=True):
    """Complete, so that folds of sales need no other event. ``net`` is without tax."""

    order: str
    member: str | None
    session: str | None
    currency: str
    lines: tuple[OrderLine, ...]
    net: int
    at: int


class TenderBack(Value):
    """What goes back to one tender of the order."""

    tender: str
    amount: int


class OrderCancelled(Value, kw_only=True):
    """``lines`` were paid for and are given back; empty if the order was never paid. ``tenders``: what goes back to each."""

    order: str
    member: str | None
    session: str | None
    currency: str
    reason: str
    lines: tuple[OrderLine, ...]
    at: int
    tenders: tuple[TenderBack, ...] = ()


class OrderRefunded(Value, kw_only=True):
    """``lines`` are given back now. ``parts`` names them: the number of a line, its units and its money that go back.

    Lines count from 1; those that are left alone have no part, so that a refund costs what it gives back. ``net_retained`` is
    what the order is still worth, without tax, after this refund. ``kind``: ``goods``, ``money``, ``goodwill``, ``shipping``,
    ``mixed``, ``exchange``, or "not told" of an older refund, whose next fields tell nothing. ``tax``, ``shipping``: what of
    the money is that; ``fee``: kept of it; ``points``: those that were spent on what came back; ``shares``: the same by line,
    of an order with a price trace. ``moved``: what of the money pays the order that the goods are exchanged for; it goes to no
    tender.
    """

    order: str
    refund: str
    member: str | None
    session: str | None
    currency: str
    parts: tuple[tuple[int, int, int], ...]
    lines: tuple[OrderLine, ...]
    net_retained: int
    complete: bool
    at: int
    kind: str = "not told"
    reason: str = ""
    tax: int = 0
    shipping: int = 0
    fee: int = 0
    points: int = 0
    tenders: tuple[TenderBack, ...] = ()
    shares: tuple[RefundedLine, ...] = ()
    moved: int = 0


class MovedMoney(Value):
    """What one tender paid of an order that came back, and pays now of another. ``tender`` is empty where none was told."""

    tender: str
    kind: TenderKind
    amount: int
    gift_card: str | None = None


class OrderExchanged(Value, kw_only=True):
    """Goods came back, and others go out in the order ``into``. ``parts``: lines, counted from 1, with units, that come back.

    ``credit``: what they are worth; ``money``: what of it pays the new order. ``lines``, ``tax``, ``coupons``, ``priced``: the
    new order's.
    """

    order: str
    member: str | None
    session: str | None
    exchange: str
    into: str
    currency: str
    parts: tuple[tuple[int, int], ...]
    lines: tuple[OrderLine, ...]
    tax: int
    coupons: tuple[str, ...]
    priced: Trace | None
    credit: int
    money: tuple[MovedMoney, ...]
    at: int


Payment: TypeAlias = OrderTendered | OrderPaymentPending | OrderPaymentFailed
Event: TypeAlias = (
    OrderPlaced
    | OrderPriced
    | Payment
    | OrderPaid
    | OrderShipped
    | OrderDelivered
    | OrderReturned
    | OrderCancelled
    | OrderRefunded
    | OrderExchanged
    | stock.Event
)


NOT_PLACED = Fulfilment()


@dataclass(frozen=True)
class Order:
    """``refunded`` counts the units given back of each line, an adjustment as one; ``given_back`` is their money."""

    status: str = "unknown"  # unknown, placed, paid, shipped, delivered, cancelled, refunded
    placed: OrderPlaced | None = None
    refunded: tuple[int, ...] = ()
    given_back: tuple[int, ...] = ()
    refunds: tuple[str, ...] = ()
    net: int = 0  # what it is worth to the programme now
    priced: Refundable | None = None  # what is left of its trace
    tenders: tuple[Tender, ...] = ()
    gift_cards: Mapping[str, str] = field(default_factory=dict)  # of each tender that a card in this log paid
    payments: tuple[str, ...] = ()  # attempts that are pending or have failed
    fulfilment: Fulfilment = NOT_PLACED
    stock: stock.OrderStock | None = None  # what it holds, if it ever reserved its goods
    never_paid: bool = False  # it was cancelled before anything was paid
    exchanges: Mapping[str, str] = field(default_factory=dict)  # by name, the order that the other goods went out in

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        return self.placed.lines if self.placed else ()


def given_back_of(units: Iterable[int], lines: Iterable[Mapping[str, int]]) -> Iterator[int]:
    """Yield the money that an old refund gave back for each line of the order; it named only the lines it touched."""
    touched = iter(lines)
    return (next(touched)["paid"] if more else 0 for more in units)


def parts_of(units: Iterable[int], given_back: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Yield the parts of an old refund, which named the units and the money of every line."""
    for line, (more, money) in enumerate(zip(units, given_back, strict=True), 1):
        if more or money:
            yield line, more, money


def net_of(paid: int, tax: int) -> int:
    """Return what a purchase is worth to the programme, in minor units: never below 0, whatever the tender."""
    return max(0, paid - tax)
