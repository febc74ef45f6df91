"""What is asked of one order: what a refund would bring, before it is made, and why it costs and earns what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aggregates.coupon import coupon
from aggregates.decider import Decider, Refusal, stream_id
from aggregates.gift_card import gift_card
from aggregates.guest_coupon import guest_coupon
from aggregates.membership.commands import ClawBackPoints
from aggregates.membership.decider import membership
from aggregates.membership.ledger.events import PointsClawedBack, PointsGranted, PointsRedeemed, PointsReturned
from aggregates.order.decider import order
from aggregates.order.events import (
    Order,
    OrderCancelled,
    OrderExchanged,
    OrderPaid,
    OrderPaymentFailed,
    OrderPlaced,
    OrderPriced,
    OrderRefunded,
    OrderTendered,
)
from aggregates.order.exchange import ExchangeItems
from aggregates.order.refund import RefundOrder
from aggregates.order.stock import StockReleased, StockReserved, StockTaken
from aggregates.pricing.trace import Trace
from aggregates.reactions import react
from aggregates.settlement import promotions
from streams.commands.checkout import states_in
from streams.queries.price_words import STAGE_NAMES, amount, named, reason
from streams.running.app import App


@dataclass(frozen=True)
class RefundPreview:
    """A refund as it would be made now: the event, and the points that it would take back and give back."""

    refund: OrderRefunded
    points_taken: int
    points_back: int

    @property
    def amount(self) -> int:
        return sum(money for _, _, money in self.refund.parts)


def preview(app: App, command: RefundOrder | ExchangeItems) -> RefundPreview:
    """Return what a refund or an exchange would bring. Raises the ``Refusal`` that the command would get; nothing is stored."""
    look, context = states_in(app.log), app.handler.context()
    events = order.decide(command, look(order, command.order), context)
    if not events or not isinstance(refunded := events[0], OrderRefunded):
        raise Refusal("refund_made", "A refund of this name was made before.")
    taken = back = 0
    for follows in react(refunded, context, app.log.erased(), look):
        if isinstance(follows, ClawBackPoints):
            for event in membership.decide(follows, look(membership, follows.member), context):
                taken += event.points if isinstance(event, PointsClawedBack) else 0
                back += event.points if isinstance(event, PointsReturned) else 0
    return RefundPreview(refunded, taken, back)


@dataclass(frozen=True)
class OrderReason:
    """One line of an explanation. ``what``: price, discount, refused, payment, stock, refund or points."""

    at: int
    position: int
    what: str
    said: str


def why_order(app: App, name: str) -> list[OrderReason]:
    """Return why an order costs and earns what it does, in the order of the log; empty if there is no such order."""
    state: Order = states_in(app.log)(order, name)
    if state.placed is None:
        return []
    trace = state.priced.trace if state.priced is not None else None
    words = OrderWords(trace, app.terms.unit)
    found = [one for position, event in facts(app, order, name) for one in words.of_order(position, event)]
    member = state.placed.member
    if member is not None:
        if trace is not None:
            for campaign in promotions(trace):
                uses = facts(app, coupon, campaign, member)
                found += [words.of_use(position, event) for position, event in uses if getattr(event, "order", None) == name]
        for position, event in facts(app, membership, member):
            if of_this(event, name):
                found += words.of_points(position, event)
    elif trace is not None:
        for campaign in promotions(trace):
            found += [words.of_use(position, event) for position, event in facts(app, guest_coupon, campaign, name)]
    for card in sorted(set(state.gift_cards.values())):
        mine = facts(app, gift_card, card)
        found += [words.of_card(position, event) for position, event in mine if getattr(event, "order", None) == name]
    return sorted(found, key=lambda one: one.position)


def of_this(event: Any, name: str) -> bool:
    return name in (getattr(event, "order", None), getattr(event, "redemption", None))


def facts(app: App, decider: Decider[Any, Any, Any], *ids: str) -> list[tuple[int, Any]]:
    rows = app.log.rows_of(stream_id(decider.name, *ids), 2**31)
    return [(row.position, app.log.codec.decode(row.name, row.state)) for row in rows]


class OrderWords:
    """Puts the events around an order into words. ``unit``: minor units in a major one, for an order without a trace."""

    def __init__(self, trace: Trace | None, unit: int) -> None:
        self._trace = trace
        self._digits = len(str(unit)) - 1

    def money(self, minor: int) -> str:
        if self._trace is not None:
            return amount(minor, self._trace)
        whole, rest = divmod(abs(minor), 10**self._digits)
        return f"{'-' if minor < 0 else ''}{whole:,}" + (f".{rest:0{self._digits}}" if self._digits else "")

    def of_order(self, position: int, event: Any) -> Iterator[OrderReason]:
        def one(what: str, said: str) -> OrderReason:
            return OrderReason(event.at, position, what, said)

        match event:
            case OrderPlaced():
                paid, gross = sum(line.paid for line in event.lines), sum(line.gross for line in event.lines)
                lines = "1 line" if len(event.lines) == 1 else f"{len(event.lines)} lines"
                yield one("price", f"{lines}, {self.money(gross)} in all, to pay {self.money(paid)} {event.currency}")
            case OrderPriced():
                yield from (OrderReason(event.at, position, what, said) for what, said in self.of_trace(event.trace))
            case OrderTendered():
                source = f" from {event.gift_card}" if event.gift_card else ""
                source += f", moved from order {event.moved_from}" if event.moved_from else ""
                yield one(
                    "payment", f"{self.money(event.amount)} by {event.kind}{source}, {self.money(event.left)} left to pay"
                )
            case OrderPaymentFailed():
                yield one("payment", f"payment {event.payment} failed: {event.reason or 'no reason was told'}")
            case OrderPaid():
                yield one("payment", f"paid; it counts {self.money(event.net)} without tax")
            case StockReserved():
                yield one("stock", f"{len(event.items)} products held")
            case StockTaken():
                over = f"; oversold: {', '.join(event.oversold)}" if event.oversold else ""
                yield one("stock", f"{len(event.items)} products taken{over}")
            case StockReleased():
                yield one("stock", f"no longer held: {event.reason}")
            case OrderRefunded():
                yield one("refund", self.of_refund(event))
            case OrderExchanged():
                yield one("refund", self.of_exchange(event))
            case OrderCancelled():
                yield one("refund", f"cancelled: {event.reason or 'no reason was told'}")

    def of_trace(self, trace: Trace) -> Iterator[tuple[str, str]]:
        """Yield each step, each refusal and each hint of a price."""
        for step in trace.steps:
            what = "discount" if step.stage != 8 else "price"
            said = f"{STAGE_NAMES[step.stage]}: {named(step)} of {self.money(step.entry)}: {self.money(step.amount)}"
            yield what, said
        for refused in trace.refused:
            yield "refused", f"{refused.code or refused.campaign} was not used: {reason(refused, trace)}"
        if not trace.proven:
            yield "price", "another set of promotions may be better: the search ran out of work"

    def of_refund(self, event: OrderRefunded) -> str:
        money = sum(money for _, _, money in event.parts)
        to = ", ".join(f"{self.money(back.amount)} to {back.tender}" for back in event.tenders)
        fee = f", {self.money(event.fee)} kept as fee" if event.fee else ""
        return f"{event.refund}: {self.money(money)} back ({event.kind}){f': {to}' if to else ''}{fee}"

    def of_exchange(self, event: OrderExchanged) -> str:
        moved = self.money(sum(one.amount for one in event.money))
        return f"{event.exchange}: exchanged for order {event.into}; {moved} of {self.money(event.credit)} pays it"

    def of_use(self, position: int, event: Any) -> OrderReason:
        told = getattr(event, "reason", None)
        over = " without room, honoured" if getattr(event, "overrun", False) else ""
        what = type(event).__name__.removeprefix("Guest").removeprefix("Coupon").lower()
        return OrderReason(event.at, position, "discount", f"{event.campaign} {what}{over}{f' ({told})' if told else ''}")

    def of_card(self, position: int, event: Any) -> OrderReason:
        what = type(event).__name__.removeprefix("GiftCard").lower()
        return OrderReason(event.at, position, "payment", f"gift card {event.card} {what}: {self.money(event.amount)}")

    def of_points(self, position: int, event: Any) -> Iterator[OrderReason]:
        def one(said: str) -> OrderReason:
            return OrderReason(event.at, position, "points", said)

        match event:
            case PointsGranted():
                times = f" × {event.multiplier[0]}/{event.multiplier[1]}" if event.multiplier != (1, 1) else ""
                rule = f"rule {event.rule}" if event.rule else "the purchase rule"
                net = self.money(event.net)
                yield one(f"{event.points} {event.wallet} by {rule} of version {event.terms} on {net}{times} as {event.tier}")
            case PointsRedeemed():
                yield one(f"{event.points} {event.wallet} spent, worth {self.money(event.money)}")
            case PointsReturned():
                yield one(f"{event.points} spent {event.wallet} came back")
            case PointsClawedBack():
                yield one(f"{event.points} {event.wallet} taken back for {event.reversal}")
