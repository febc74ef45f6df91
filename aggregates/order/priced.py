"""Orders that carry their price trace: placed as they were priced, refunded by their lines' own shares."""

from __future__ import annotations

from collections.abc import Sequence

from aggregates.decider import Refusal, require_count
from aggregates.order.events import Order, OrderLine, OrderPlaced, OrderRefunded, net_of
from aggregates.order.refund import RefundOrder, part, to_tenders
from aggregates.pricing.refund import Refundable, RefundWish, refund
from aggregates.pricing.trace import PricedLine, Trace


def lines_of_trace(trace: Trace) -> tuple[OrderLine, ...]:
    """Return the lines that an order with this trace has; department and category are the caller's to add.

    Shipping and fees are money without goods.
    """
    return tuple(
        OrderLine(line.product, units_sold(line), line.list_unit * line.quantity, share.paid, share.paid)
        for line, share in zip(trace.lines, trace.shares, strict=True)
    )


def units_sold(line: PricedLine) -> int:
    return 0 if line.kind in ("shipping", "fee") and line.quantity == 1 else line.quantity


def require_priced_as_placed(placed: OrderPlaced, trace: Trace) -> None:
    """Refuse an order whose lines, currency or tax are not those of its trace."""
    wanted = [(line.product, line.quantity, line.gross, line.paid) for line in lines_of_trace(trace)]
    told = [(line.product, line.quantity, line.gross, line.paid) for line in placed.lines]
    priced = [(*each[:1], line.quantity, *each[2:]) for each, line in zip(wanted, trace.lines, strict=True)]
    if told not in (wanted, priced) or (placed.currency, placed.tax) != (trace.currency, trace.tax):
        raise Refusal("price_mismatch", "The lines, the tax or the currency of this order are not those of its price.")


def refund_priced(command: RefundOrder, order: Order) -> list[OrderRefunded]:
    """Return the refund of an order that has a trace, none if it was made before."""
    placed, before = order.placed, order.priced
    if placed is None or before is None or order.status in ("placed", "cancelled"):
        raise Refusal("order_not_paid", "Only what was paid can be refunded.")
    if command.refund in order.refunds:
        return []
    wish = wish_of(command, before)
    back, after = refund(before, wish)
    by_line = {each.line: each for each in back}
    fee = sum(each.fee for each in back)
    names = list(before.lines)
    units = tuple(by_line[name].units if name in by_line else 0 for name in names)
    money = tuple(by_line[name].amount if name in by_line else 0 for name in names)
    return [
        OrderRefunded(
            order=command.order,
            refund=command.refund,
            member=placed.member,
            session=placed.session,
            currency=placed.currency,
            parts=tuple([(number, *both) for number, both in enumerate(zip(units, money, strict=True), 1) if any(both)]),
            lines=lines_back(order, units, money),
            net_retained=min(order.net, net_of(after.left, after.left - after.net_left)),
            complete=is_complete(after),
            at=command.at,
            kind=kind_of(wish, before.trace),
            reason=command.reason,
            tax=sum(each.tax for each in back),
            shipping=sum(each.amount for each in back if is_shipping(before.trace, each.line)),
            fee=fee,
            points=sum(each.points for each in back),
            tenders=to_tenders(order, before.given, sum(each.amount for each in back) + fee, fee),
            shares=back,
        )
    ]


def wish_of(command: RefundOrder, left: Refundable) -> RefundWish:
    """Return what a command asks for, by the ids of its lines; without parts and goodwill, all that is left."""
    names = list(left.lines)
    if not command.parts and not command.goodwill:
        all_units = tuple((name, line.units_left) for name, line in left.lines.items() if line.units_left)
        money = tuple((n, line.amount_left) for n, line in left.lines.items() if not line.units_left and line.amount_left > 0)
        return RefundWish(all_units, money, fee=command.fee)
    units_asked: dict[str, int] = {}
    money_asked: dict[str, int] = {}
    for asked in command.parts:
        if not isinstance(asked.line, int) or not 1 <= asked.line <= len(names):
            raise Refusal("line_unknown", f"The order has lines 1 to {len(names)}.")
        name = names[asked.line - 1]
        if asked.total is not None:
            require_count("total", asked.total, least=1)
            if asked.quantity:
                raise Refusal("total_with_units", "Units of a priced order bring back their share: name a fee, or money alone.")
            money_asked[name] = money_asked.get(name, 0) + asked.total
        else:
            units = left.lines[name].units_left if asked.quantity is None else asked.quantity
            units_asked[name] = units_asked.get(name, 0) + units
    return RefundWish(tuple(units_asked.items()), tuple(money_asked.items()), command.goodwill, command.fee)


def lines_back(order: Order, units: Sequence[int], money: Sequence[int]) -> tuple[OrderLine, ...]:
    rows = zip(order.lines, order.refunded, units, money, strict=True)
    return tuple(part(line, done, more, amount) for line, done, more, amount in rows if more or amount)


def is_complete(left: Refundable) -> bool:
    """Whether all goods came back; a gift that cost nothing may stay."""
    kinds = {line.id: line.kind for line in left.trace.lines}
    return not any(line.units_left for name, line in left.lines.items() if kinds[name] != "gift" or line.amount_left)


def is_shipping(trace: Trace, name: str) -> bool:
    return any(line.id == name and line.kind == "shipping" for line in trace.lines)


def kind_of(wish: RefundWish, trace: Trace) -> str:
    """Return what kind of refund is asked for."""
    kinds = set()
    for name, _ in (*wish.units, *wish.money):
        kinds.add("shipping" if is_shipping(trace, name) else "goods" if name in dict(wish.units) else "money")
    if wish.goodwill:
        kinds.add("goodwill")
    return kinds.pop() if len(kinds) == 1 else "mixed"
