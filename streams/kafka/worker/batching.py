"""Chunks of many partitions, folded in rounds: whatever waits when a thread is free goes together.

A quiet worker folds each chunk as it comes. A busy one has few round trips to Redis, and few calls from thread to thread,
for many small chunks; so the time that a chunk takes grows slowly with how many there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import redis
from faust.types import TP

from infra.redis.asking import Answer, Ask, answered, together
from streams.kafka.worker.partition import BatchResult, Partition, Record

THREADS = 3  # one folds while others wait for Redis; more would leave less to go together
LARGEST = 2000  # records of a round, unless one chunk alone has more


@dataclass(frozen=True, eq=False)
class Waiting:
    place: TP
    partition: Partition
    records: Sequence[Record]
    outcome: asyncio.Future[BatchResult]


class Batcher:
    """Of one event loop. ``exchange``: one round trip to Redis. A place is in one round at a time."""

    def __init__(self, exchange: Callable[[Ask], Answer]) -> None:
        self._exchange = exchange
        self._threads = ThreadPoolExecutor(THREADS, "fold")
        self._free = THREADS
        self._waiting: list[Waiting] = []
        self._busy: set[TP] = set()
        self._about_to = False

    async def take(self, place: TP, partition: Partition, records: Sequence[Record]) -> BatchResult:
        """What :meth:`Partition.take` returns, or raises, of these records."""
        loop = asyncio.get_running_loop()
        waiting = Waiting(place, partition, records, loop.create_future())
        self._waiting.append(waiting)
        if not self._about_to:
            self._about_to = True
            loop.call_soon(self._begin, loop)  # once all that came at the same time are here
        return await waiting.outcome

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._about_to = False
        while self._free and (some := self._next()):
            self._free -= 1
            self._threads.submit(self._fold, some, loop)

    def _next(self) -> list[Waiting]:
        some: list[Waiting] = []
        records = 0
        for one in self._waiting:
            if one.place not in self._busy and (not some or records + len(one.records) <= LARGEST):
                some.append(one)
                self._busy.add(one.place)
                records += len(one.records)
        if some:
            self._waiting = [one for one in self._waiting if one not in some]
        return some

    def _fold(self, some: Sequence[Waiting], loop: asyncio.AbstractEventLoop) -> None:
        outcomes: Sequence[BatchResult | Exception]
        try:
            outcomes = self._folded(some)
        except Exception as fault:  # noqa: BLE001 - each of them hears of it
            outcomes = [fault] * len(some)
        loop.call_soon_threadsafe(self._end, some, outcomes, loop)

    def _folded(self, some: Sequence[Waiting]) -> list[BatchResult | Exception]:
        """What Redis cannot do for one of them must not be the others' fault: then each is taken by itself."""
        outcomes = answered(together([one.partition.taking(one.records) for one in some]), self._exchange)
        if len(some) > 1 and any(isinstance(outcome, redis.ResponseError) for outcome in outcomes):
            return [outcome for one in some for outcome in self._folded([one])]
        return outcomes

    def _end(
        self, some: Sequence[Waiting], outcomes: Sequence[BatchResult | Exception], loop: asyncio.AbstractEventLoop
    ) -> None:
        for one, outcome in zip(some, outcomes, strict=True):
            self._busy.discard(one.place)
            if one.outcome.done():  # whoever waited was cancelled
                continue
            if isinstance(outcome, Exception):
                one.outcome.set_exception(outcome)
            else:
                one.outcome.set_result(outcome)
        self._free += 1
        self._begin(loop)
