"""What a refund gives back: a function of what was paid and what is kept.

A line with base ``A`` and ``Q`` units of which ``k`` came back gives ``A (k+m) // Q - A k // Q`` for ``m`` more; tax and points
alike. Money without units restarts the line with the amount and the units that are left. So all parts, in any
order, sum to what was paid. Where a promotion says ``recompute``, the kept goods are priced again by the order's own trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aggregates.decider import Refusal
from aggregates.money import part_of
from aggregates.pricing.apportioning import apportion_capped
from aggregates.pricing.replay import price_of_kept
from aggregates.pricing.trace import PricedLine, Trace
from aggregates.value import Value, replace


class RefundWish(Value):
    """``units``: how many units of each line come back. ``money``: amounts of a line without units.

    ``goodwill``: money without a line. ``fee``: kept of the refund, for restocking.
    """

    units: tuple[tuple[str, int], ...] = ()
    money: tuple[tuple[str, int], ...] = ()
    goodwill: int = 0
    fee: int = 0


class RefundedLine(Value):
    """``amount`` goes back, ``tax`` of it; ``points`` that were spent return. ``fee``: kept of it, with its tax.

    ``restarts``: the amount that is left of the line is split again over its units. A gift that must be paid for after all has
    an ``amount`` below 0.
    """

    line: str
    units: int
    amount: int
    tax: int
    points: int
    fee: int = 0
    fee_tax: int = 0
    restarts: bool = False


@dataclass(frozen=True)
class LineLeft:
    """A line since its last restart: its base amounts, its units, and how many of them came back."""

    amount: int
    tax: int
    points: int
    units: int
    back: int = 0

    @property
    def amount_left(self) -> int:
        return self.amount - part_of(self.amount, 0, self.back, self.units or 1)

    @property
    def tax_left(self) -> int:
        return self.tax - part_of(self.tax, 0, self.back, self.units or 1)

    @property
    def points_left(self) -> int:
        return self.points - part_of(self.points, 0, self.back, self.units or 1)

    @property
    def units_left(self) -> int:
        return self.units - self.back

    def restarted(self, amount: int, tax: int, points: int = 0, units: int = 0) -> LineLeft:
        """Return the line after it gave back these, whatever its units' shares are."""
        return LineLeft(self.amount_left - amount, self.tax_left - tax, self.points_left - points, self.units_left - units)


@dataclass(frozen=True)
class Refundable:
    """An order's trace and what is left of it. ``given``: money that went back, fees included."""

    trace: Trace
    lines: Mapping[str, LineLeft] = field(default_factory=dict)
    given: int = 0

    @property
    def left(self) -> int:
        return sum(line.amount_left for line in self.lines.values())

    @property
    def kept(self) -> dict[str, int]:
        return {name: line.units_left for name, line in self.lines.items()}

    @property
    def net_left(self) -> int:
        """Return what the order is worth to the programme now: without tax."""
        return self.left - sum(line.tax_left for line in self.lines.values())


def refundable(trace: Trace) -> Refundable:
    """Return what can be given back of an order of which nothing has been."""
    quantity = {line.id: line.quantity for line in trace.lines}
    lines = {share.line: LineLeft(share.paid, share.tax, share.points, quantity[share.line]) for share in trace.shares}
    return Refundable(trace, lines)


def refund(order: Refundable, wish: RefundWish) -> tuple[tuple[RefundedLine, ...], Refundable]:
    """Return what each line gives back, and what is left afterwards. It is what a preview shows.

    Raises :class:`Refusal` for more units or money than are left.
    """
    check(order, wish)
    units = dict(wish.units)
    back: dict[str, RefundedLine] = {}
    if units:
        recompute = any(share.refund == "recompute" for share in order.trace.shares)
        if recompute:
            order, back = recomputed(order, units)
        else:
            order, back = with_gifts_charged(*by_units(order, units))
    money = dict(wish.money)
    order, back = with_money(order, back, money)
    order, back = with_goodwill(order, back, wish.goodwill)
    if not back:
        raise Refusal("nothing_left", "Nothing of this order is left to refund.")
    back = with_fee(back, wish.fee)
    return tuple(back[name] for name in sorted(back)), order


def after_refund(order: Refundable, back: Iterable[RefundedLine]) -> Refundable:
    """Return what is left of an order after a refund that was recorded."""
    lines, given = dict(order.lines), order.given
    for each in back:
        line, amount, tax = lines[each.line], each.amount + each.fee, each.tax + each.fee_tax
        if each.restarts:
            lines[each.line] = line.restarted(amount, tax, each.points, each.units)
        else:
            lines[each.line] = replace(line, back=line.back + each.units)
        given += amount
    return Refundable(order.trace, lines, given)


def check(order: Refundable, wish: RefundWish) -> None:
    for name, units in wish.units:
        known(order, name)
        if not 1 <= units <= order.lines[name].units_left:
            raise Refusal("nothing_left", f"Only {order.lines[name].units_left} of line {name} can still be refunded.")
    for name, amount in wish.money:
        known(order, name)
        if amount < 1:
            raise Refusal("total_invalid", "Money given back is at least 1 minor unit.")
    if len(dict(wish.units)) != len(wish.units) or len(dict(wish.money)) != len(wish.money):
        raise Refusal("line_twice", "Name each line once.")
    if wish.goodwill < 0 or wish.fee < 0:
        raise Refusal("total_invalid", "Money given back and fees are not below 0.")
    if wish.goodwill > order.left:
        raise Refusal("refund_too_high", f"Only {order.left} (minor units) of this order is left.")


def known(order: Refundable, name: str) -> None:
    if name not in order.lines:
        raise Refusal("line_unknown", f"The order has the lines {', '.join(order.lines)}.")


def by_units(order: Refundable, units: Mapping[str, int]) -> tuple[Refundable, dict[str, RefundedLine]]:
    """Give back each unit's share of what its line was sold for."""
    back: dict[str, RefundedLine] = {}
    lines = dict(order.lines)
    for name, more in units.items():
        line = lines[name]
        amount, tax, points = (part_of(whole, line.back, more, line.units) for whole in (line.amount, line.tax, line.points))
        back[name] = RefundedLine(name, more, amount, tax, points)
        lines[name] = replace(line, back=line.back + more)
    return with_lines(order, lines, back), back


def recomputed(order: Refundable, units: Mapping[str, int]) -> tuple[Refundable, dict[str, RefundedLine]]:
    """Give back what was paid beyond the price of what is kept; first of the lines that come back, then of the others."""
    paid = sum(share.paid for share in order.trace.shares)
    kept = {name: line.units_left - units.get(name, 0) for name, line in order.lines.items()}
    owed = min(order.left, max(0, paid - price_of_kept(order.trace, kept) - order.given))
    own = [name for name in sorted(order.lines) if units.get(name)]
    others = [name for name in sorted(order.lines) if not units.get(name)]
    amounts: dict[str, int] = {}
    for names in (own, others):
        room = [max(0, order.lines[name].amount_left) for name in names]
        part = min(owed, sum(room))
        amounts.update(zip(names, apportion_capped(part, room, room), strict=True))
        owed -= part
    lines, back = dict(order.lines), {}
    for name in (*own, *others):
        line, more, amount = lines[name], units.get(name, 0), amounts[name]
        if more or amount:
            points = part_of(line.points, line.back, more, line.units or 1)
            tax = tax_of(line, amount)
            back[name] = RefundedLine(name, more, amount, tax, points, restarts=True)
            lines[name] = line.restarted(amount, tax, points, more)
    return with_lines(order, lines, back), back


def with_gifts_charged(order: Refundable, back: dict[str, RefundedLine]) -> tuple[Refundable, dict[str, RefundedLine]]:
    """Charge gifts that are kept although their threshold is lost, where the campaign says so; at most what goes back."""
    free = dict.fromkeys(order.lines, 0)
    lines, back = dict(order.lines), dict(back)
    for step in order.trace.steps:
        name = step.scope[0] if step.scope else ""
        if step.gift != "charge" or not is_gift(order.trace.lines, name) or not order.kept[name] or lines[name].amount:
            continue
        with_gift = price_of_kept(order.trace, order.kept)
        without = price_of_kept(order.trace, {**order.kept, name: free[name]})
        charge = min(with_gift - without, sum(each.amount for each in back.values()))
        if charge > 0:
            back[name] = RefundedLine(name, 0, -charge, 0, 0, restarts=True)
            lines[name] = lines[name].restarted(-charge, 0)
    return with_lines(order, lines, {name: each for name, each in back.items() if each.amount < 0}), back


def is_gift(lines: Iterable[PricedLine], name: str) -> bool:
    return any(line.id == name and line.kind == "gift" for line in lines)


def with_money(
    order: Refundable, back: dict[str, RefundedLine], money: Mapping[str, int]
) -> tuple[Refundable, dict[str, RefundedLine]]:
    """Give back money of lines without units, such as for damage; each line restarts with what is left."""
    lines, back, more = dict(order.lines), dict(back), {}
    for name, amount in money.items():
        line = lines[name]
        if amount > line.amount_left:
            raise Refusal("refund_too_high", f"Only {line.amount_left} (minor units) of line {name} is left.")
        tax = tax_of(line, amount)
        more[name] = RefundedLine(name, 0, amount, tax, 0, restarts=True)
        back[name] = joined(back.get(name), more[name])
        lines[name] = line.restarted(amount, tax)
    return with_lines(order, lines, more), back


def with_goodwill(order: Refundable, back: dict[str, RefundedLine], amount: int) -> tuple[Refundable, dict[str, RefundedLine]]:
    """Give back money without a line, split over what is left of all lines."""
    names = sorted(order.lines)
    room = [max(0, order.lines[name].amount_left) for name in names]
    if amount > sum(room):
        raise Refusal("refund_too_high", f"Only {sum(room)} (minor units) of this order is left.")
    parts = apportion_capped(amount, room, room)
    return with_money(order, back, {name: part for name, part in zip(names, parts, strict=True) if part})


def with_fee(back: dict[str, RefundedLine], fee: int) -> dict[str, RefundedLine]:
    """Keep a fee of what goes back, with its part of the tax."""
    names = sorted(back)
    room = [max(0, back[name].amount) for name in names]
    if fee > sum(room):
        raise Refusal("fee_too_high", f"The fee is more than the refund ({sum(room)} minor units).")
    kept = dict(zip(names, apportion_capped(fee, room, room), strict=True))
    return {name: less_fee(each, kept[name]) for name, each in back.items()}


def less_fee(each: RefundedLine, fee: int) -> RefundedLine:
    if not fee:
        return each
    tax = each.tax * fee // each.amount
    return replace(each, amount=each.amount - fee, tax=each.tax - tax, fee=fee, fee_tax=tax)


def tax_of(line: LineLeft, amount: int) -> int:
    """Return the tax of money given back: all of what is left with the last of the money."""
    return line.tax_left * amount // line.amount_left if line.amount_left else 0


def joined(one: RefundedLine | None, other: RefundedLine) -> RefundedLine:
    if one is None:
        return other
    return RefundedLine(
        one.line,
        one.units + other.units,
        one.amount + other.amount,
        one.tax + other.tax,
        one.points + other.points,
        restarts=one.restarts or other.restarts,
    )


def with_lines(order: Refundable, lines: Mapping[str, LineLeft], back: Mapping[str, RefundedLine]) -> Refundable:
    return Refundable(order.trace, lines, order.given + sum(each.amount for each in back.values()))


def exchange(credit: int, price: int) -> tuple[int, int]:
    """Return what a shopper pays and what goes back when goods worth ``credit`` are exchanged for goods at ``price``.

    >>> exchange(10068, 12990), exchange(10068, 7990)
    ((2922, 0), (0, 2078))
    """
    return max(0, price - credit), max(0, credit - price)
