"""Refunds by line and quantity. A line's money goes back pro rata, rounded cumulatively, so that the parts sum to the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from aggregates.decider import Refusal, require_count
from aggregates.fields import Count, Id, Instant, OrderId
from aggregates.money import part_of
from aggregates.order.events import Order, OrderLine, OrderRefunded, TenderBack, net_of
from aggregates.pricing.tenders import given_back, in_order
from aggregates.value import Value, replace


class RefundPart(Value):
    """Units of one line to give back. ``line`` counts from 1; ``quantity`` None means all that is left of the line, and 0
    money without goods. ``total`` is the money to give back, in minor units, if it is not the units' share of what was paid.
    """

    line: int
    quantity: Annotated[int, Count("quantity")] | None = None
    total: Annotated[int, Count("total")] | None = None


class RefundOrder(Value):
    """Refund ``parts`` of an order; without parts, all that is left of it, adjustments included.

    ``goodwill``: money without a line; ``fee``: kept of the refund. Both need an order with a price trace.
    """

    order: OrderId
    refund: Annotated[str, Id("refund")]
    at: Instant
    parts: tuple[RefundPart, ...] = ()
    goodwill: Annotated[int, Count("goodwill")] = 0
    fee: Annotated[int, Count("fee")] = 0
    reason: str = ""


def refund(command: RefundOrder, order: Order) -> list[OrderRefunded]:
    placed = order.placed
    if placed is None or order.status == "placed" or order.never_paid:
        raise Refusal("order_not_paid", "Only what was paid can be refunded.")
    if command.refund in order.refunds:
        return []
    if command.goodwill or command.fee:
        raise Refusal("order_not_priced", "Goodwill and fees need an order that has its price trace.")
    if order.status == "cancelled":
        raise Refusal("nothing_left", "This order was cancelled, and what was paid for it was given back then.")
    units, money = wanted(command, order)
    by_line = zip(order.lines, order.refunded, order.given_back, units, money, strict=True)
    back = [money_back(line, done, given, more, stated) for line, done, given, more, stated in by_line]
    after = tuple(map(sum, zip(order.refunded, units, strict=True)))
    complete = all(
        done == units_of(line) and given + more == line.paid
        for line, done, given, more in zip(order.lines, after, order.given_back, back, strict=True)
    )
    paid = sum(line.paid for line in order.lines)
    touched = [index for index, (more, money) in enumerate(zip(units, back, strict=True)) if more or money]
    kept = paid - sum(order.given_back) - sum(back)
    tax_kept = placed.tax * max(0, kept) // paid if paid > 0 else placed.tax
    return [
        OrderRefunded(
            order=command.order,
            refund=command.refund,
            member=placed.member,
            session=placed.session,
            currency=placed.currency,
            parts=tuple([(index + 1, units[index], back[index]) for index in touched]),
            lines=tuple([part(order.lines[index], order.refunded[index], units[index], back[index]) for index in touched]),
            net_retained=min(order.net, net_of(kept, tax_kept)),  # giving back never earns
            complete=complete,
            at=command.at,
            kind="goods" if any(units) else "money",
            reason=command.reason,
            tenders=to_tenders(order, sum(order.given_back), sum(back)),
            tax=max(0, placed.tax - placed.tax * sum(order.given_back) // paid - tax_kept) if paid > 0 else 0,
        )
    ]


def to_tenders(order: Order, before: int, now: int, fee: int = 0) -> tuple[TenderBack, ...]:
    """Return what goes back to each tender: means of payment first, credit last.

    ``before``: what went back earlier. ``now``: what goes back with the fee; the fee is kept of what would go back last.
    """
    tenders = in_order(order.tenders)
    then, after = given_back(tenders, before), given_back(tenders, before + now)
    parts = [more - less for less, more in zip(then, after, strict=True)]
    for place in reversed(range(len(parts))):
        less = min(fee, parts[place])
        parts[place], fee = parts[place] - less, fee - less
    return tuple(TenderBack(tender.id, amount) for tender, amount in zip(tenders, parts, strict=True) if amount)


def wanted(command: RefundOrder, order: Order) -> tuple[list[int], list[int | None]]:
    """Return the units and the stated money to give back of each line. Refuse more units than are left."""
    left = [units_of(line) - done for line, done in zip(order.lines, order.refunded, strict=True)]
    if not command.parts:
        money = [line.paid - given for line, given in zip(order.lines, order.given_back, strict=True)]
        if not any(left) and not any(money):
            raise Refusal("nothing_left", "All of this order was refunded before.")
        return left, [None if rest else kept for rest, kept in zip(left, money, strict=True)]
    units = [0] * len(left)
    stated: list[int | None] = [None] * len(left)
    for asked in command.parts:
        if not 1 <= asked.line <= len(left):
            raise Refusal("line_unknown", f"The order has lines 1 to {len(left)}.")
        index = asked.line - 1
        rest = left[index] - units[index]
        kept = order.lines[index].paid - order.given_back[index]
        if asked == RefundPart(asked.line) and not left[index] and kept > 0 and stated[index] is None:
            stated[index] = kept  # the goods are back, a part of the money is not
            continue
        least = 1 if asked.total is None else 0
        if asked.quantity is not None:
            require_count("quantity", asked.quantity, least)
        more = rest if asked.quantity is None else asked.quantity
        if not least <= more <= rest:
            raise Refusal("nothing_left", f"Only {rest} of line {asked.line} can still be refunded.")
        units[index] += more
        if asked.total is not None:
            stated[index] = (stated[index] or 0) + asked.total
    return units, stated


def money_back(line: OrderLine, done: int, given: int, more: int, stated: int | None) -> int:
    """Return the money to give back for ``more`` units of a line, after ``done`` units and ``given`` money went before.

    It is pro rata, rounded cumulatively, so that all units together bring back what was paid.
    """
    if stated is None and not more:
        return 0  # nothing is asked of it
    left = line.paid - given
    if stated is None:
        due = part_of(line.paid, 0, done + more, units_of(line)) - given
        return max(0, min(due, left)) if line.paid >= 0 else due
    if stated > left:
        raise Refusal("refund_too_high", f"Only {max(0, left)} of what was paid for {line.product} (minor units) is left.")
    return stated


def left_of(order: Order) -> Iterator[OrderLine]:
    """Yield the goods of an order that were not given back, with the money that was not."""
    for line, done, given in zip(order.lines, order.refunded, order.given_back, strict=True):
        if units_of(line) > done or line.paid != given:
            yield part(line, done, units_of(line) - done, line.paid - given)


def units_of(line: OrderLine) -> int:
    return line.quantity or 1


def part(line: OrderLine, taken: int, more: int, paid: int) -> OrderLine:
    """Return ``more`` units of a line, after ``taken`` units went before, with ``paid`` as the money that goes back."""
    whole = units_of(line)
    return replace(
        line,
        quantity=more if line.quantity else 0,
        gross=part_of(line.gross, taken, more, whole),
        total=part_of(line.total, taken, more, whole),
        paid=paid,
    )
