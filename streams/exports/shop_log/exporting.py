"""Exports the log as lines of a shop-log file. Importing them into an empty log makes the same read models.

An event is written as the plainest line that causes it again, which is found by trying. If no type of line does, its command is
written (type ``regulars``). The events of reactions are left out: the import decides them again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Any

import orjson

from aggregates.behaviour import Searched
from aggregates.cart import AddToCart, ReceiveCart
from aggregates.cart_events import CartReceived, CartResumed
from aggregates.constraints import OVER_LIMIT
from aggregates.coupon import CouponRedeemed
from aggregates.guest_coupon import GuestCouponRedeemed
from aggregates.membership.events import (
    MemberTagged,
    PointsAdjusted,
    PointsReinstated,
    PointsReturned,
    PoolUsed,
    TierOverridden,
    TierOverrideEnded,
)
from aggregates.order.events import OrderCancelled, OrderExchanged, OrderRefunded
from aggregates.order.fulfilment import OrderShipped
from aggregates.product import ProductListed
from aggregates.programme import Policies, Programme
from aggregates.review import ProductReviewed
from aggregates.session import KeepSession, SessionKept
from aggregates.value import replace
from infra.event_log.log import EventLog
from infra.event_log.types import Shop
from streams.exports.shop_log.commands import COMMAND_OF, command_lines
from streams.exports.shop_log.importer import OF_POINTS, ImporterState, WaitingLots, follows
from streams.exports.shop_log.lines import Amounts, CandidateLines
from streams.imports.shop_log.reading import Reader, header
from streams.imports.shop_log.rejected import Rejected
from streams.registry import COMMANDS
from streams.upcasters import NOT_TOLD, SEALED

CHUNK = 2000
AHEAD = 200
"""Events that are looked at together: one line says no more than that, but for its coupons."""

END_OF_TIME = 1 << 52

OF_CARTS = CartReceived | CartResumed

UNTOLD: dict[type, type] = {SessionKept: KeepSession, CartReceived: ReceiveCart, CartResumed: AddToCart}
"""Events that follow from others and yet matter to the lines after them, with what brings them about."""

NO_TEXT = "?"
"""What stands for a text that is left out, where a command needs some text."""
NEEDED: dict[type, str] = {
    Searched: "query",
    PointsAdjusted: "reason",
    PointsReinstated: "reason",
    TierOverridden: "reason",
    TierOverrideEnded: "reason",
}
"""The sealed texts that a command needs."""


class Export:
    """``personal``: with sealed values.

    During iteration ``lines`` counts, ``position`` is the place in the log, and ``omitted`` counts events that no line can say,
    because it would be longer than a line may be.
    """

    def __init__(self, log: EventLog, terms: Programme, personal: bool = False) -> None:
        self.lines = 0
        self.position = 0
        self.omitted = 0
        self._log = log
        self._shop = Shop(terms.zone, terms.currency, terms.digits)
        self._first = Policies.first(terms.zone, terms.currency, terms.digits)
        self._personal = personal
        self._importer = ImporterState(log, terms)
        self._candidates = CandidateLines(self._importer, Amounts(terms.currency, terms.digits))
        self._reader = Reader(terms.currency, None, END_OF_TIME, terms.digits)

    def __iter__(self) -> Iterator[bytes]:
        """The lines of the file, each as its bytes: whose log it is, then what happened."""
        yield header(self._shop)
        facts = self._facts()
        ahead: deque[Any] = deque()
        while True:
            while len(ahead) < AHEAD and (fact := next(facts, None)) is not None:
                ahead.append(fact)
            if not ahead:
                return
            raw, said = self._line(list(ahead))
            if raw is not None:
                self.lines += 1
                yield raw
            elif not isinstance(ahead[0], SessionKept | OF_CARTS) and (
                type(ahead[0]) not in SEALED or ahead[0] != blank(ahead[0])
            ):
                self.omitted += 1  # not merely a change of what is left out
            remove(said, ahead)
            for fact in said:
                self._happened(fact)

    def _line(self, ahead: list[Any]) -> tuple[bytes | None, list[Any]]:
        """Return a line for the first of these events, and the events that it says."""
        if isinstance(ahead[0], SessionKept):
            return self._kept(ahead[0]), ahead[:1]
        if isinstance(ahead[0], OF_CARTS):
            return None, ahead[:1]  # the line of the merge, or of the next change, says so
        for facts in variants(ahead):
            for line in chain(self._candidates.of(facts), command_lines(facts, self._importer)):
                raw = orjson.dumps(line)
                if isinstance(facts[0], MemberTagged) and not self._personal:
                    return None, facts[:1]
                if isinstance(facts[0], OF_POINTS):
                    return raw, facts[:1]  # decided over points, which follow from earlier lines
                decided = self._decided(raw) or []
                for said in (decided, without_kept(decided)):
                    if said and alike(said, without_returned(facts) if is_exchange(said) else facts):
                        return raw, said
        return None, ahead[:1]

    def _kept(self, event: SessionKept) -> bytes | None:
        """Return the line of a session that was joined again. None if an act kept it: then the act's line said so."""
        (line,) = command_lines([event], self._importer)
        raw = orjson.dumps(line)
        return raw if self._decided(raw) == [event] else None

    def _decided(self, raw: bytes) -> list[Any] | None:
        try:
            return self._importer.decided(self._reader.read(1, raw))
        except Rejected:
            return None

    def _facts(self) -> Iterator[Any]:
        """Yield the events of the log, without those that follow from others; what became of a cart matters to later lines."""
        position, waiting, before = 0, WaitingLots(self._first), None
        while chunk := self._log.recorded(position, CHUNK):
            position = chunk[-1].position
            for recorded in chunk:
                event: Any = recorded.event
                self.position = recorded.position
                if isinstance(event, PoolUsed):
                    self._importer.spenders.used(event)
                if waiting.ended_by(event) or not follows(event, before) or isinstance(event, OF_CARTS):
                    yield comparable(event if self._personal else blank(event))
                before = event

    def _happened(self, event: Any) -> None:
        route = COMMANDS[UNTOLD.get(type(event)) or COMMAND_OF[type(event)]]
        self._importer.happened(route.stream(event) or "behaviour", route.decider, event)


def alike(decided: list[Any], facts: list[Any]) -> bool:
    """Return whether these events come next. A product's attributes have an order, too: its read model shows it."""
    same = facts[: len(decided)]
    decided = [as_told(event, fact) for event, fact in zip(decided, same, strict=False)] + decided[len(same) :]
    return decided == same and in_order(decided) == in_order(same)


def is_exchange(said: list[Any]) -> bool:
    return any(isinstance(event, OrderExchanged) for event in said)


def without_returned(facts: list[Any]) -> list[Any]:
    """Return events without points that came back, which lie in the midst of an exchange, and have lines of their own."""
    return [fact for fact in facts if not isinstance(fact, PointsReturned)]


def remove(said: list[Any], ahead: deque[Any]) -> None:
    """Remove what a line says; points that came back in its midst stay, for the lines after it."""
    stay, left = [], len(said)
    while left:
        fact = ahead.popleft()
        if is_exchange(said) and isinstance(fact, PointsReturned):
            stay.append(fact)
        else:
            left -= 1
    ahead.extendleft(reversed(stay))


def as_told(decided: Any, fact: Any) -> Any:
    """Return a decided event with no more than the log's event tells: an old refund lacks its kind, its tax and its fee."""
    used = (CouponRedeemed, GuestCouponRedeemed)
    if isinstance(fact, used) and isinstance(decided, used) and fact.reservation is not None:
        return replace(decided, overrun=fact.overrun)  # whether there was room shows only as it is appended
    if isinstance(fact, OrderShipped) and isinstance(decided, OrderShipped) and not fact.parts:
        return replace(decided, parts=())
    if isinstance(fact, OrderCancelled) and isinstance(decided, OrderCancelled) and not fact.tenders:
        return replace(decided, tenders=())
    old = isinstance(fact, OrderRefunded) and isinstance(decided, OrderRefunded) and fact.kind == NOT_TOLD["kind"]
    return replace(decided, **{name: getattr(fact, name) for name in NOT_TOLD}) if old else decided


def without_kept(decided: list[Any]) -> list[Any]:
    """Return decided events as an older log has them, which noted no end of a session."""
    return [event for event in decided if not isinstance(event, SessionKept)]


def in_order(events: list[Any]) -> list[list[str]]:
    return [list(event.attributes) for event in events if isinstance(event, ProductListed)]


def blank(event: Any) -> Any:
    """Return the event without what is sealed."""
    sealed = SEALED.get(type(event))
    return with_needed_text(replace(event, **sealed)) if sealed else event


def comparable(event: Any) -> Any:
    """Return the event as an importer decides it: whether a use is over the limit shows only as it is appended."""
    if isinstance(event, CouponRedeemed | GuestCouponRedeemed):
        event = replace(event, flags=tuple(flag for flag in event.flags if flag != OVER_LIMIT))
    return with_needed_text(event)


def with_needed_text(event: Any) -> Any:
    """Return the event with some text where its command needs one and it has none."""
    name = NEEDED.get(type(event))
    return replace(event, **{name: NO_TEXT}) if name and not getattr(event, name) else event


def variants(ahead: list[Any]) -> Iterator[list[Any]]:
    """Yield the events; then, if a review has no text, with an empty one: a change of the text alone is a new review."""
    yield ahead
    if isinstance(ahead[0], ProductReviewed) and ahead[0].text is None:
        yield [replace(ahead[0], text=""), *ahead[1:]]
