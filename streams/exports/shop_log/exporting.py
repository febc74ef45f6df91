"""The log as lines of a shop-log file. Importing them into an empty log makes the same read models.

A fact is told by the plainest line that brings it about again, found by trying; what no type of line can say is told as the
command behind it (type ``regulars``). What policies bring about is left out: the import decides it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from aggregates.policies import SEEN_IN_A_SESSION
from aggregates.programme import Programme
from aggregates.session import SessionJoined
from infra.event_log.shapes import Shop
from infra.event_log.sqlite import SqliteLog
from streams.exports.shop_log.amounts import Amounts
from streams.exports.shop_log.candidates import Candidates
from streams.exports.shop_log.commands import COMMAND_OF, command_line
from streams.exports.shop_log.world import FOLLOWS, World
from streams.imports.shop_log.header import header
from streams.imports.shop_log.reading import Reader
from streams.imports.shop_log.rejected import Rejected
from streams.registry import COMMANDS, SEALED

CHUNK = 2000
AHEAD = 200
"""Facts that are looked at together: what one line tells is not longer, but for its coupons."""

END_OF_TIME = 1 << 52


class Export:
    """``personal``: tell sealed values too. As one iterates, ``lines`` counts, and ``told`` says how far in the log it is."""

    def __init__(self, log: SqliteLog, terms: Programme, personal: bool = False) -> None:
        self.lines = 0
        self.told = 0
        self._log = log
        self._shop = Shop(terms.zone, terms.currency)
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
            for _ in range(told):
                self._happened(ahead.popleft())

    def _tell(self, ahead: list[Any]) -> tuple[bytes | None, int]:
        """A line for the first of these facts, and how many of them it tells."""
        for line in (*self._candidates.of(ahead), command_line(ahead[0])):
            raw = orjson.dumps(line)
            decided = self._decided(raw)
            if decided and decided == ahead[: len(decided)]:
                return raw, len(decided)
        return None, 1  # nothing of it is left to tell, such as an erased member's changed profile

    def _decided(self, raw: bytes) -> list[object] | None:
        try:
            return self._world.decided(self._reader.read(1, raw))
        except Rejected:
            return None

    def _facts(self) -> Iterator[Any]:
        """The facts of the log, those left out that follow from others."""
        position, before = 0, None
        while chunk := self._log.recorded(position, CHUNK):
            position = chunk[-1].position
            for recorded in chunk:
                event: Any = recorded.event
                if isinstance(event, FOLLOWS) or follows_from(before, event):
                    continue
                before, self.told = event, recorded.position
                yield event if self._personal else without_sealed(event)

    def _happened(self, event: Any) -> None:
        route = COMMANDS[COMMAND_OF[type(event)]]
        self._world.happened(route.stream(event) or "behaviour", route.decider, event)


def follows_from(before: Any, event: Any) -> bool:
    """Whether a session was joined by what the member did in it just before."""
    if not isinstance(event, SessionJoined) or not isinstance(before, SEEN_IN_A_SESSION):
        return False
    return (before.member, before.session) == (event.joined, event.session)


def without_sealed(event: Any) -> Any:
    blank = SEALED.get(type(event))
    return replace(event, **blank) if blank else event
