"""Exchanging goods: lines of an order come back, and others go out in a new order, which their worth pays.

The worth is what a refund of these lines would bring. The part of it that the new order costs moves there, by the means that
paid it, so that a later refund of the new order finds its way back; the rest goes back at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from aggregates.decider import Refusal
from aggregates.fields import Count, Id, Instant, OrderId
from aggregates.order.events import (
    MovedMoney,
    Order,
    OrderExchanged,
    OrderLine,
    OrderRefunded,
    OrderTendered,
    TenderBack,
)
from aggregates.order.fulfilment import LineUnits
from aggregates.order.priced import refund_priced
from aggregates.order.refund import RefundOrder, RefundPart, refund
from aggregates.pricing.refund import exchange as difference
from aggregates.pricing.tenders import in_order
from aggregates.pricing.trace import Trace
from aggregates.value import Value, replace


class ExchangeItems(Value):
    """Take ``parts`` of an order back, and place the order ``into`` with the goods that go out.

    ``lines``, ``tax``, ``coupons`` and ``priced`` are the new order's, as in ``PlaceOrder``.
    """

    order: OrderId
    exchange: Annotated[str, Id("exchange")]
    into: OrderId
    parts: tuple[LineUnits, ...]
    lines: tuple[OrderLine, ...]
    at: Instant
    tax: Annotated[int, Count("tax")] = 0
    coupons: tuple[Annotated[str, Id("coupon")], ...] = ()
    priced: Trace | None = None
    reason: str = ""


class TakeExchanged(Value):
    """Pay an order with what came back of the order ``moved_from``."""

    order: OrderId
    moved_from: OrderId
    money: tuple[MovedMoney, ...]
    at: Instant


def exchange(command: ExchangeItems, order: Order) -> list[OrderRefunded | OrderExchanged]:
    """Return the refund of what comes back, and the exchange; none if it was made before."""
    placed = order.placed
    if order.exchanges.get(command.exchange) == command.into:
        return []
    if command.exchange in order.refunds:
        raise Refusal("exchange_exists", "Another refund or exchange of this order has this name.")
    if not command.parts:
        raise Refusal("exchange_empty", "Name the lines that come back.")
    if command.into == command.order or placed is None:
        raise Refusal("exchange_itself", "The goods that go out are an order of their own.")
    back = tuple(RefundPart(one.line, one.units) for one in command.parts)
    asked = RefundOrder(command.order, command.exchange, command.at, back, reason=command.reason)
    (refunded,) = refund(asked, order) if order.priced is None else refund_priced(asked, order)
    credit = sum(money for _, _, money in refunded.parts)
    _, over = difference(credit, sum(line.paid for line in command.lines))
    if credit - over <= 0:
        raise Refusal("exchange_worthless", "Nothing of what comes back would pay for what goes out: refund it instead.")
    given, moved = split(refunded.tenders, over, credit - over, order)
    exchanged = OrderExchanged(
        order=command.order,
        member=placed.member,
        session=placed.session,
        exchange=command.exchange,
        into=command.into,
        currency=placed.currency,
        parts=tuple((one.line, one.units) for one in command.parts),
        lines=command.lines,
        tax=command.tax,
        coupons=command.coupons,
        priced=command.priced,
        credit=credit,
        money=moved,
        at=command.at,
    )
    return [replace(refunded, kind="exchange", tenders=given, moved=credit - over), exchanged]


def split(
    back: Sequence[TenderBack], over: int, moves: int, order: Order
) -> tuple[tuple[TenderBack, ...], tuple[MovedMoney, ...]]:
    """Return what goes back to each tender, money first, and what moves from each to the new order.

    An order whose tenders nobody told moves its money as of kind ``other``.
    """
    known = {tender.id: tender for tender in in_order(order.tenders)}
    given: list[TenderBack] = []
    moved: list[MovedMoney] = []
    for each in back:
        paid_out = min(each.amount, over)
        over -= paid_out
        stays = min(each.amount - paid_out, moves)
        moves -= stays
        if paid_out:
            given.append(TenderBack(each.tender, paid_out))
        if stays:
            moved.append(MovedMoney(each.tender, known[each.tender].kind, stays, order.gift_cards.get(each.tender)))
    if moves:
        moved.append(MovedMoney("", "other", moves))
    return tuple(given), tuple(moved)


def take_exchanged(command: TakeExchanged, whose: Mapping[str, Any], payable: int) -> list[OrderTendered]:
    """Return the payments of a new order by what came back of another."""
    events: list[OrderTendered] = []
    left = payable
    for one in command.money:
        left -= one.amount
        events.append(
            OrderTendered(
                **whose,
                tender=moved_name(command.moved_from, one.tender),
                kind=one.kind,
                amount=one.amount,
                left=left,
                at=command.at,
                gift_card=one.gift_card,
                moved_from=command.moved_from,
            )
        )
    return events


def moved_name(order: str, tender: str) -> str:
    """Return the name of a payment that moved: the order it comes from, and its tender there.

    >>> moved_name("o-1", "card"), moved_name("o-1", "")
    ('o-1/card', 'o-1')
    """
    return f"{order}/{tender}"[-200:] if tender else order
