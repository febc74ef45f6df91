"""A member's list: as it is stored while it holds, scored for the moment of reading once it does not."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import redis

from infra.redis.views import Views
from streams.queries.clock import CachedClock
from streams.queries.recommending import HOUR, ListScorer
from streams.running.app import App
from streams.web.problems import HttpProblem
from streams.web.questions.question import Asked, Parameter, Question
from streams.web.questions.reader import ViewReader
from streams.web.questions.shop import MEMBER, B, M, S

MOST_WAITING = 64
"""Lists that wait to be scored at a time; beyond, the stored list is sent, or who insists is asked to come again."""

MINUTE = 60_000
"""Milliseconds to which the instant of scoring is rounded down, so that an ETag holds for a while."""

DESCRIPTION = """The stored list is the answer while it holds, which is until `until`. After that, or with `fresh=true`, the
list is scored for the present minute: with what the member did last, the hour and the weekday, and without what is no longer
sold. Such an answer has `scored_at`, and holds for an hour. `fresh=false` asks for the stored list whatever its age."""

FRESH = Parameter(
    "fresh",
    "`true`: scored for now. `false`: as it is stored. Left out: as it is stored while it holds, else scored for now.",
    {"type": "boolean"},
    "true",
)


class Held(msgspec.Struct):
    """What decides whether a stored list still holds."""

    as_of: int
    until: int


HELD = msgspec.json.Decoder(Held)


class MemberLists:
    """Scores in a thread of its own, one list after the other, so that the loop never waits for one."""

    def __init__(self, app: App, clock: CachedClock) -> None:
        self._scoring = ThreadPoolExecutor(1, "list")
        self._renewing = ThreadPoolExecutor(1, "list-model")
        self._scorer = ListScorer(app.terms.zone, self._renewing.submit)
        self._clock = clock
        self._waiting = 0
        self._preparing = False

    def close(self) -> None:
        for threads in (self._scoring, self._renewing):
            threads.shutdown(cancel_futures=True)

    def question(self) -> Question:
        return Question(
            "recommend", f"{MEMBER}/recommendations", (S, B, M), "What to show a member, and why.", self._answer, (FRESH,),
            DESCRIPTION, part="recommend",
        )  # fmt: skip

    async def _answer(self, asked: Asked) -> Any:
        member, wish = asked.ids["member"], wish_of(asked.query.get("fresh"))
        raw = (await asked.reader.documents([f"recommend:{member}"], asked.wanted))[0]
        if raw is None:
            raise HttpProblem(404, "not_found", f"Nothing is known of {member} here.")
        return await self.current(asked.reader, raw, member, wish)

    async def current(self, reader: ViewReader, raw: bytes, member: str, wish: bool | None) -> Any:
        """Return a stored list, or the document of that list scored for now. ``wish``: see :data:`FRESH`, None for left out.

        Raises :class:`HttpProblem` 503 if a fresh list is wished and cannot be had, 404 if the member has left meanwhile.
        """
        if wish is False or (wish is None and HELD.decode(raw).until > await self._clock.now()):
            return raw
        if wish is None and not self._scorer.is_ready:
            self._prepare(reader.views)
            return raw
        try:
            return await self._scored(reader.views, raw, member)
        except Busy:
            if wish is None:
                return raw
            raise HttpProblem(503, "busy", "No list can be scored now; ask again.", headers={"Retry-After": "1"}) from None

    def _prepare(self, views: Views) -> None:
        if not self._preparing:
            self._preparing = True
            self._scoring.submit(self._scorer.prepare, views).add_done_callback(self._prepared)

    def _prepared(self, _: object) -> None:
        self._preparing = False

    async def _scored(self, views: Views, raw: bytes, member: str) -> dict[str, Any]:
        if self._waiting >= MOST_WAITING:
            raise Busy
        now = await self._clock.now()
        self._waiting += 1
        try:
            found = await asyncio.wrap_future(self._scoring.submit(self._score, views, raw, member, now))
        finally:
            self._waiting -= 1
        if found is None:
            raise HttpProblem(404, "not_found", f"Nothing is known of {member} here.")
        return found

    def _score(self, views: Views, raw: bytes, member: str, now: int) -> dict[str, Any] | None:
        stored = msgspec.json.decode(raw)
        at = max(now // MINUTE * MINUTE, stored["as_of"])
        try:
            made = self._scorer.scored(views, stored, member, at)
        except (redis.RedisError, OSError, ValueError) as fault:  # ValueError: another program's state, before a switch
            raise Busy from fault
        return None if made is None else made | {"scored_at": at, "until": at + HOUR}


class Busy(Exception):  # noqa: N818 - it says what is the case
    """No list can be scored now."""


def wish_of(told: str | None) -> bool | None:
    """Return what the query parameter ``fresh`` says. Raises :class:`HttpProblem` 400.

    >>> wish_of("true"), wish_of("false"), wish_of(None)
    (True, False, None)
    """
    if told not in (None, "true", "false"):
        raise HttpProblem(400, "query_invalid", "`fresh` is true or false.")
    return None if told is None else told == "true"
