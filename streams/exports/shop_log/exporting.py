"""The log as lines of a shop-log file. Importing them into an empty log makes the same read models.

A fact is told by the plainest line that brings it about again, found by trying; what no type of line can say is told as the
command behind it (type ``regulars``). What policies bring about is left out: the import decides it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import orjson

from aggregates.behaviour import Searched
from aggregates.membership.events import PoolUsed
from aggregates.product import ProductListed
from aggregates.programme import Policies, Programme
from aggregates.review import ProductReviewed
from aggregates.value import replace
from infra.event_log.log import EventLog
from infra.event_log.types import Shop
from streams.exports.shop_log.amounts import Amounts
from streams.exports.shop_log.candidates import Candidates
from streams.exports.shop_log.commands import COMMAND_OF, command_line
from streams.exports.shop_log.world import OF_POINTS, Waiting, World, follows
from streams.imports.shop_log.header import header
from streams.imports.shop_log.reading import Reader
from streams.imports.shop_log.rejected import Rejected
from streams.registry import COMMANDS
from streams.upcasters import SEALED

CHUNK = 2000
AHEAD = 200
"""Facts that are looked at together: what one line tells is not longer, but for its coupons."""

END_OF_TIME = 1 << 52

UNTOLD = "?"
"""What was searched for where that is not told: a search has some text."""


class Export:
    """``personal``: tell sealed values too.

    As one iterates, ``lines`` counts, ``told`` says how far in the log it is, and ``untold`` how many facts no line can say:
    it would be longer than a line may be.
    """

    def __init__(self, log: EventLog, terms: Programme, personal: bool = False) -> None:
        self.lines = 0
        self.told = 0
        self.untold = 0
        self._log = log
        self._shop = Shop(terms.zone, terms.currency)
        self._first = Policies.first(terms.zone, terms.currency)
        self._personal = personal
        self._world = World(log, terms)
        self._candidates = Candidates(self._world, Amounts(terms.currency))
        self._reader = Reader(terms.currency, None, END_OF_TIME)

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
            raw, told = self._tell(list(ahead))
            if raw is not None:
                self.lines += 1
                yield raw
            elif type(ahead[0]) not in SEALED or ahead[0] != blank(ahead[0]):
                self.untold += 1  # and not merely a change of what is not told
            for fact in told:
                ahead.popleft()
                self._happened(fact)

    def _tell(self, ahead: list[Any]) -> tuple[bytes | None, list[Any]]:
        """A line for the first of these facts, and which of them it tells."""
        for facts in said(ahead):
            for line in (*self._candidates.of(facts), command_line(facts[0], self._world)):
                raw = orjson.dumps(line)
                if isinstance(facts[0], OF_POINTS):
                    return raw, facts[:1]  # decided over points, which follow from what was told
                decided = self._decided(raw)
                if decided and alike(decided, facts):
                    return raw, decided
        return None, ahead[:1]

    def _decided(self, raw: bytes) -> list[Any] | None:
        try:
            return self._world.decided(self._reader.read(1, raw))
        except Rejected:
            return None

    def _facts(self) -> Iterator[Any]:
        """The facts of the log, those left out that follow from others."""
        position, waiting, before = 0, Waiting(self._first), None
        while chunk := self._log.recorded(position, CHUNK):
            position = chunk[-1].position
            for recorded in chunk:
                event: Any = recorded.event
                self.told = recorded.position
                if isinstance(event, PoolUsed):
                    self._world.used(event)
                if waiting.ended_by(event) or not follows(event, before):
                    yield tellable(event if self._personal else blank(event))
                before = event

    def _happened(self, event: Any) -> None:
        route = COMMANDS[COMMAND_OF[type(event)]]
        self._world.happened(route.stream(event) or "behaviour", route.decider, event)


def alike(decided: list[Any], facts: list[Any]) -> bool:
    """Whether these are the next facts; a product's attributes have an order, too, which is seen in its read model."""
    same = facts[: len(decided)]
    return decided == same and in_order(decided) == in_order(same)


def in_order(events: list[Any]) -> list[list[str]]:
    return [list(event.attributes) for event in events if isinstance(event, ProductListed)]


def blank(event: Any) -> Any:
    """The fact without what is sealed."""
    sealed = SEALED.get(type(event))
    return tellable(replace(event, **sealed)) if sealed else event


def tellable(event: Any) -> Any:
    """The fact with something in the place of a search's text that is not there."""
    return replace(event, query=UNTOLD) if isinstance(event, Searched) and not event.query else event


def said(ahead: list[Any]) -> Iterator[list[Any]]:
    """The facts; then, of a review without its text, with an empty one: whoever changed the text alone has said it anew."""
    yield ahead
    if isinstance(ahead[0], ProductReviewed) and ahead[0].text is None:
        yield [replace(ahead[0], text=""), *ahead[1:]]
