"""Placing an order: at a price that is given, or by its price trace."""

from __future__ import annotations

from typing import Annotated

from aggregates.decider import Refusal, require_count
from aggregates.fields import CartId, Count, Id, Instant, MemberId, OrderId, SessionId
from aggregates.order.events import Order, OrderLine, OrderPlaced, OrderPriced
from aggregates.order.priced import require_priced_as_placed
from aggregates.pricing.trace import Trace
from aggregates.value import Value, replace


class PlaceOrder(Value):
    """``priced``: how its price came about, line by line; None where the price is taken as given."""

    order: OrderId
    lines: tuple[OrderLine, ...]
    currency: str
    at: Instant
    member: MemberId | None = None
    session: SessionId | None = None
    cart: CartId | None = None
    tax: Annotated[int, Count("tax")] = 0
    coupons: tuple[Annotated[str, Id("coupon")], ...] = ()
    unpriced: Annotated[int, Count("unpriced")] = 0
    priced: Trace | None = None


def place(command: PlaceOrder, order: Order) -> list[OrderPlaced | OrderPriced]:
    if not command.lines:
        raise Refusal("order_empty", "An order has at least one line.")
    for line in command.lines:
        require_count("discount", line.total - line.paid)
    if command.tax > (most := max(0, sum(line.paid for line in command.lines))):
        raise Refusal("tax_too_high", f"The tax of {command.tax} is more than the {most} that is paid (minor units).")
    placed = OrderPlaced(
        order=command.order,
        member=command.member,
        session=command.session,
        cart=command.cart,
        currency=command.currency,
        lines=tuple(command.lines),
        tax=command.tax,
        at=command.at,
        coupons=tuple(command.coupons),
        unpriced=command.unpriced,
    )
    if command.priced is not None:
        require_priced_as_placed(placed, command.priced)
    if order.placed is None:
        return [placed, *priced_of(command)]
    if replace(placed, at=order.placed.at) == order.placed:
        return []
    raise Refusal("order_exists", "Another order with this id was placed before.")


def priced_of(command: PlaceOrder) -> list[OrderPriced]:
    if command.priced is None:
        return []
    return [
        OrderPriced(order=command.order, member=command.member, session=command.session, trace=command.priced, at=command.at)
    ]
