"""Refunds by line and quantity: each line's money goes back pro rata, rounded cumulatively, so the parts sum to the whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aggregates.kernel import Refusal, require_count
from aggregates.money import part_of
from aggregates.order.facts import Order, OrderLine, OrderRefunded, net_of


@dataclass(frozen=True)
class RefundPart:
    """``line`` counts from 1; without a ``quantity``, all that is left of the line."""

    line: int
    quantity: int | None = None


@dataclass(frozen=True)
class RefundOrder:
    """Without ``parts``: all that is left of the order, its adjustments too."""

    order: str
    refund: str
    at: int
    parts: tuple[RefundPart, ...] = ()


def refund(command: RefundOrder, order: Order) -> list[OrderRefunded]:
    placed = order.placed
    if placed is None or order.status in ("placed", "cancelled"):
        raise Refusal("order_not_paid", "Only what was paid can be refunded.")
    if command.refund in order.refunds:
        return []
    units = units_to_refund(command, order)
    after = tuple(map(sum, zip(order.refunded, units, strict=True)))
    complete = all(done == units_of(line) for line, done in zip(order.lines, after, strict=True))
    paid = sum(line.paid for line in order.lines)
    kept = paid - sum(part(line, 0, done).paid for line, done in zip(order.lines, after, strict=True))
    tax_kept = placed.tax * max(0, kept) // paid if paid > 0 else placed.tax
    given_back = tuple(
        part(line, done, more) for line, done, more in zip(order.lines, order.refunded, units, strict=True) if more
    )
    return [
        OrderRefunded(
            command.order,
            command.refund,
            placed.member,
            placed.session,
            placed.currency,
            tuple(units),
            given_back,
            0 if complete else min(order.net, net_of(kept, tax_kept)),  # giving back never earns
            complete,
            command.at,
        )
    ]


def units_to_refund(command: RefundOrder, order: Order) -> list[int]:
    """Units to give back of each line; refuses more than what is left, and nothing at all."""
    left = [units_of(line) - done for line, done in zip(order.lines, order.refunded, strict=True)]
    if not command.parts:
        if not any(left):
            raise Refusal("nothing_left", "All of this order was refunded before.")
        return left
    units = [0] * len(left)
    for wanted in command.parts:
        if not isinstance(wanted.line, int) or not 1 <= wanted.line <= len(left):
            raise Refusal("line_unknown", f"The order has lines 1 to {len(left)}.")
        index = wanted.line - 1
        rest = left[index] - units[index]
        if wanted.quantity is not None:
            require_count("quantity", wanted.quantity, least=1)
        if not 0 < (wanted.quantity or rest) <= rest:
            raise Refusal("nothing_left", f"Only {rest} of line {wanted.line} can still be refunded.")
        units[index] += wanted.quantity or rest
    return units


def units_of(line: OrderLine) -> int:
    return line.quantity or 1


def part(line: OrderLine, taken: int, more: int) -> OrderLine:
    """The money and goods of ``more`` units of a line, after ``taken`` units went before."""
    whole = units_of(line)
    return replace(
        line,
        quantity=more if line.quantity else 0,
        gross=part_of(line.gross, taken, more, whole),
        total=part_of(line.total, taken, more, whole),
        paid=part_of(line.paid, taken, more, whole),
    )
