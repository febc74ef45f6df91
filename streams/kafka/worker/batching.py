"""Batches chunks of many partitions: when a thread is free, it projects all waiting chunks together.

A quiet worker projects each chunk as it comes. A busy one makes few round trips to Redis, and few calls from thread to thread,
for many small chunks; so the time that a chunk takes grows slowly with their number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from faust.types import TP

from streams.kafka.worker.partition import BatchResult, Partition, Record

THREADS = 3  # one folds while others wait for Redis; with more, fewer chunks would go together
LARGEST = 2000  # records of a batch, unless one chunk alone has more

Outcomes: TypeAlias = list[BatchResult | Exception]
TakeTogether: TypeAlias = Callable[[Sequence[tuple[Partition, Sequence[Record]]]], Outcomes]


@dataclass(frozen=True, eq=False)
class WaitingChunk:
    tp: TP
    partition: Partition
    records: Sequence[Record]
    outcome: asyncio.Future[BatchResult]


class Batcher:
    """For one event loop. ``take_together`` projects a batch. A partition is in one batch at a time."""

    def __init__(self, take_together: TakeTogether) -> None:
        self._take_together = take_together
        self._threads = ThreadPoolExecutor(THREADS, "project")
        self._free = THREADS
        self._waiting: list[WaitingChunk] = []
        self._busy: set[TP] = set()
        self._scheduled = False

    async def take(self, tp: TP, partition: Partition, records: Sequence[Record]) -> BatchResult:
        """Project a partition's chunk and return the result, or raise the fault."""
        loop = asyncio.get_running_loop()
        chunk = WaitingChunk(tp, partition, records, loop.create_future())
        self._waiting.append(chunk)
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._start, loop)  # once all that came at the same time are here
        return await chunk.outcome

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give each free thread a batch."""
        self._scheduled = False
        while self._free and (batch := self._next()):
            self._free -= 1
            working = self._threads.submit(self._take_together, [(chunk.partition, chunk.records) for chunk in batch])
            asyncio.wrap_future(working, loop=loop).add_done_callback(partial(self._end, batch))

    def _next(self) -> list[WaitingChunk]:
        batch: list[WaitingChunk] = []
        records = 0
        for chunk in self._waiting:
            if chunk.tp not in self._busy and (not batch or records + len(chunk.records) <= LARGEST):
                batch.append(chunk)
                self._busy.add(chunk.tp)
                records += len(chunk.records)
        if batch:
            self._waiting = [chunk for chunk in self._waiting if chunk not in batch]
        return batch

    def _end(self, batch: Sequence[WaitingChunk], done: asyncio.Future[Outcomes]) -> None:
        """Hand out what became of a batch, and start the next."""
        fault = done.exception()
        outcomes = done.result() if fault is None else [fault] * len(batch)
        for chunk, outcome in zip(batch, outcomes, strict=True):
            self._busy.discard(chunk.tp)
            if chunk.outcome.done():  # the caller was cancelled
                continue
            if isinstance(outcome, BaseException):
                chunk.outcome.set_exception(outcome)
            else:
                chunk.outcome.set_result(outcome)
        self._free += 1
        self._start(done.get_loop())
