"""Tell endpoints what happened: at least once, in order for each key, again and again until they take it or time is up.

An endpoint's place in the log lies beside the log. Folds, rebuilds and restores never move it, so they send nothing. What is
stored after a batch is how far the endpoint was told; a kill before that sends the batch again, under the same ids.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from random import Random
from typing import TypeVar
from uuid import uuid4

from infra.errors import Unreachable
from infra.event_log.log import EventLog
from infra.event_log.types import Row
from infra.webhooks.post import Undeliverable, post
from infra.webhooks.signature import headers
from infra.webhooks.store import Endpoint, Waiting, WebhookStore
from streams.webhooks.messages import kind_of, message, message_id, ping_message

LOG = logging.getLogger("regulars.webhooks")
T = TypeVar("T")

PAUSES = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each further attempt, give or take a fifth; after the last, an event is a dead letter."""

JITTER = 0.2
BATCH = 200
"""Events read at a time."""

AT_ONCE = 8
"""Keys of one endpoint that are told at the same time."""

MOST_WAITING = 10_000
"""Events that wait for an endpoint; it is told nothing new until some of them are gone."""

POLLED_EVERY = 0.25
ENDPOINTS_READ_EVERY = 1.0
SECRETS_FOR = 1.0
"""Seconds for which the secrets of an endpoint are not read again."""

TURN = 15.0
"""Seconds for which a sender that has ended keeps others out."""

GONE = 410


def epoch_ms() -> int:
    return int(time.time() * 1000)


@dataclass(frozen=True)
class Attempt:
    """``taken``: whether the endpoint has the event now. ``retry_after``: seconds that it asks for."""

    taken: bool
    answer: str
    retry_after: int | None = None
    gone: bool = False


class WebhookSender:
    """Sends to every endpoint of a log. One process at a time does; the others wait for their turn."""

    def __init__(
        self, log: EventLog, store: WebhookStore, private: bool, now: Callable[[], int] = epoch_ms, chance: Random | None = None
    ) -> None:
        self._log = log
        self._store = store
        self._private = private
        self._now = now
        self._chance = chance or Random()  # noqa: S311 - spreads attempts, keeps no secret
        self._owner = uuid4().hex
        self._secrets: dict[str, tuple[float, list[str]]] = {}  # of each endpoint, and until when they are not read again

    async def run(self, stopped: asyncio.Event) -> None:
        """Send until stopped. Raises :class:`Unreachable` if a database does not answer."""
        working: dict[str, asyncio.Task[None]] = {}
        try:
            while not stopped.is_set():
                if await self._takes_turn():
                    for endpoint in await asyncio.to_thread(self._store.all):
                        if endpoint.disabled is None and (endpoint.id not in working or working[endpoint.id].done()):
                            working[endpoint.id] = asyncio.create_task(self._serve(endpoint.id, stopped))
                else:
                    await _end(working)
                for task in working.values():
                    if task.done() and not task.cancelled():
                        task.result()  # raises what ended it
                await _pause(stopped, ENDPOINTS_READ_EVERY)
        finally:
            await _end(working)
            await asyncio.to_thread(self._store.end_turn, self._owner)

    async def ping(self, endpoint: Endpoint) -> Attempt:
        """Send a message that tests an endpoint, once."""
        return await self._attempt(endpoint, f"{endpoint.id}_test{uuid4().hex[:8]}", ping_message(self._now()))

    async def _takes_turn(self) -> bool:
        now = self._now()
        return await asyncio.to_thread(self._store.take_turn, self._owner, now, now + int(TURN * 1000))

    async def _serve(self, id: str, stopped: asyncio.Event) -> None:  # noqa: A002 - the endpoint's own word
        while not stopped.is_set():
            endpoint = await asyncio.to_thread(self._store.find, id)
            if endpoint is None or endpoint.disabled is not None:
                return
            if not await self.send_some(endpoint):
                await _pause(stopped, POLLED_EVERY)

    async def send_some(self, endpoint: Endpoint) -> bool:
        """Try what is due and the next events of the log. Return whether there was anything to do."""
        self._secrets.pop(endpoint.id, None)
        waiting = await asyncio.to_thread(self._store.waiting, endpoint.id)
        did = await self._send_due(endpoint, waiting)
        if len(waiting) < MOST_WAITING:
            did = await self._send_new(endpoint, {one.key for one in waiting}) or did
        return did

    async def _send_due(self, endpoint: Endpoint, waiting: Iterable[Waiting]) -> bool:
        """Try what has waited long enough; the events of a key one after the other. Return whether there was any."""
        now = self._now()
        by_key = [
            list(some) for _, some in groupby(sorted(waiting, key=lambda one: (one.key, one.position)), lambda one: one.key)
        ]
        due = [some for some in by_key if some[0].due <= now]
        await self._at_once(lambda some: self._again(endpoint, some), due)
        return bool(due)

    async def _again(self, endpoint: Endpoint, some: list[Waiting]) -> None:
        for one in some:
            if one.due > self._now():
                return
            rows = await asyncio.to_thread(self._log.since, one.position - 1, 1)
            if not rows or rows[0].position != one.position:
                await self._store_call(self._store.bury, endpoint.id, replace(one, answer="not in the log"), self._now())
                continue
            attempt = await self._send(endpoint, rows[0])
            if attempt.taken:
                await self._store_call(self._store.delivered, endpoint.id, one.position)
                continue
            later = self._later(one, attempt)
            if later is None:
                failed = replace(one, attempts=one.attempts + 1, answer=attempt.answer)
                LOG.warning("Endpoint %s did not take position %d in %d attempts", endpoint.id, one.position, failed.attempts)
                await self._store_call(self._store.bury, endpoint.id, failed, self._now())
                continue
            await self._store_call(self._store.failed, endpoint.id, later)
            return

    async def _send_new(self, endpoint: Endpoint, blocked: set[str]) -> bool:
        """Tell an endpoint the next events of the log. Return whether there were any."""
        head = await asyncio.to_thread(self._log.head)
        if endpoint.told > head:  # a log that was restored from a backup
            await self._store_call(self._store.replay, endpoint.id, head)
            return True
        rows = await asyncio.to_thread(self._log.since, endpoint.told, BATCH)
        if not rows:
            return False
        quiet = await asyncio.to_thread(self._store.quiet.between, rows[0].position, rows[-1].position, self._now())
        if quiet.held is not None and not (rows := [row for row in rows if row.position <= quiet.held]):
            return False
        by_key: dict[str, list[Row]] = {}
        for row in rows:
            if kind_of(row) in endpoint.kinds and not quiet.has(row.position):
                key = self._log.codec.partition_key(self._log.codec.decode(row.name, row.state))
                by_key.setdefault(key, []).append(row)
        kept: list[Waiting] = []
        await self._at_once(lambda pair: self._in_order(endpoint, *pair, blocked, kept), list(by_key.items()))
        await self._store_call(self._store.advance, endpoint, rows[-1].position, kept)
        return True

    async def _in_order(self, endpoint: Endpoint, key: str, rows: list[Row], blocked: set[str], kept: list[Waiting]) -> None:
        """Send the events of one key until one is not taken; that and all after it are kept to wait."""
        waits = key in blocked
        for row in rows:
            if waits:
                kept.append(Waiting(row.position, key))
                continue
            attempt = await self._send(endpoint, row)
            if not attempt.taken:
                waits = True
                first = Waiting(row.position, key)
                kept.append(self._later(first, attempt) or first)

    def _later(self, one: Waiting, attempt: Attempt) -> Waiting | None:
        """Return an event with the instant of its next attempt, None if that was the last."""
        if one.attempts >= len(PAUSES):
            return None
        spread = self._chance.uniform(1 - JITTER, 1 + JITTER)
        pause = max(PAUSES[one.attempts] * spread, attempt.retry_after or 0)
        return replace(
            one, attempts=one.attempts + 1, due=self._now() + int(min(pause, PAUSES[-1]) * 1000), answer=attempt.answer
        )

    async def _send(self, endpoint: Endpoint, row: Row) -> Attempt:
        event = self._log.codec.decode(row.name, row.state)
        return await self._attempt(endpoint, message_id(endpoint, row.position), message(endpoint, row, event, self._now()))

    async def _attempt(self, endpoint: Endpoint, id: str, body: bytes) -> Attempt:  # noqa: A002 - the message's own word
        secrets = await self._signed_with(endpoint)
        try:
            answer = await post(endpoint.url, headers(secrets, id, self._now() // 1000, body), body, self._private)
        except Undeliverable as fault:
            return Attempt(False, str(fault)[:300])
        if answer.status == GONE:
            await self._store_call(self._store.disable, endpoint.id, "its receiver answered 410 Gone")
        return Attempt(200 <= answer.status < 300, f"status {answer.status}", answer.retry_after, answer.status == GONE)

    async def _signed_with(self, endpoint: Endpoint) -> list[str]:
        until, secrets = self._secrets.get(endpoint.id, (0.0, []))
        if until <= time.monotonic():
            secrets = await asyncio.to_thread(self._store.secrets, endpoint.id, self._now())
            self._secrets[endpoint.id] = time.monotonic() + SECRETS_FOR, secrets
        return secrets

    async def _at_once(self, call: Callable[[T], object], some: list[T]) -> None:
        """Await a call for each, so many at the same time."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(value: T) -> None:
            async with gate:
                await call(value)  # type: ignore[misc]

        async with asyncio.TaskGroup() as group:
            for value in some:
                group.create_task(one(value))

    async def _store_call(self, call: Callable[..., object], *values: object) -> None:
        await asyncio.to_thread(call, *values)


async def _end(working: dict[str, asyncio.Task[None]]) -> None:
    for task in working.values():
        task.cancel()
    await asyncio.gather(*working.values(), return_exceptions=True)
    working.clear()


async def _pause(stopped: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopped.wait(), seconds)
    except TimeoutError:
        return


async def send_until_told(sender: WebhookSender, stopped: asyncio.Event, retry_after: float = 1.0) -> None:
    """Send until stopped, and begin again after a database was gone."""
    while not stopped.is_set():
        try:
            await sender.run(stopped)
        except* Unreachable as faults:
            LOG.warning("%s Trying again.", faults.exceptions[0])
            await _pause(stopped, retry_after)
