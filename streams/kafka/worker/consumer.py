"""What a worker does with chunks: it projects them, and has Kafka deliver again what Redis has lost.

A chunk is acknowledged once its effects are in Redis. But Faust also acknowledges a chunk when its agent raises an exception
or is cancelled. So the agent vetoes a chunk that must not be acknowledged (:func:`veto`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol, TypeVar

import redis
import structlog
from aiokafka.errors import IllegalStateError, KafkaError
from faust.types import TP

from infra.errors import Fault, Unreachable, VersionsChanged
from infra.kafka.chunks import ChunkConsumer
from streams.kafka.worker.batching import Batcher
from streams.kafka.worker.partition import BatchResult, OffsetGap, Partition, RedisRolledBack
from streams.kafka.worker.telemetry import WorkerTelemetry

log = structlog.get_logger()

T = TypeVar("T")

THREADS = 2  # to ask Redis and Kafka for offsets and ids
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)  # seconds between attempts while Redis or Kafka does not answer; the last for ever
RESUME_PATIENCE = 5.0  # seconds that a rebalance waits for Redis
REWIND_PATIENCE = 5.0  # seconds until a partition that should be delivered again is sought again
WATCH = 2.0  # seconds between looks at what Redis holds of idle partitions

AWAITED = (redis.RedisError, Unreachable)
"""Faults that end when Redis or Kafka answers again."""


class RecordsGone(Fault):
    """A topic's beginning was removed before its effects were in Redis, or Redis was rolled back to before it."""

    def __init__(self, tp: TP, wanted: int, first: int) -> None:
        super().__init__(
            f"The read models need {tp.topic}, partition {tp.partition}, from offset {wanted}, and Kafka has it from "
            f"{first} only: stop relay and workers, delete the topic, and run `regulars relay`, which publishes the whole log "
            "again; what is in Redis already is skipped. Let topics keep records for longer (KAFKA_RETENTION_DAYS)."
        )


class Partitions(Protocol):
    """Makes what projects the partitions that a worker is assigned."""

    def identify(self) -> Mapping[str, str]:
        """Return the broker's ids of the topics, by name. Raises :class:`Unreachable`."""
        ...

    def renew(self) -> None:
        """Read which versions of the read models are served and kept up; :meth:`make` goes by that from now on."""
        ...

    def make(self, tp: TP) -> Partition: ...


class WorkerConsumer:
    """Keeps a :class:`Partition` for each assigned one, and asks Redis whether what these remember is still true."""

    def __init__(self, partitions: Partitions, batcher: Batcher, telemetry: WorkerTelemetry) -> None:
        self._partitions = partitions
        self._batcher = batcher
        self._telemetry = telemetry
        self._ids: Mapping[str, str] = {}
        self._assigned: dict[TP, Partition] = {}
        self._rewound: dict[TP, tuple[int, float]] = {}
        self._unresumed: frozenset[TP] = frozenset()  # Redis has not said yet where to read these from
        self._threads = ThreadPoolExecutor(THREADS, "offsets")

    async def take(self, tp: TP, records: Sequence[Any]) -> BatchResult:
        """Project a chunk, and wait for Redis, and for Kafka to have its dead letters, as long as it takes.

        Raises :class:`OffsetGap`, and any fault that does not end by waiting.
        """
        begun, attempt = time.monotonic(), 0
        result: BatchResult | None = None
        while result is None:
            try:
                result = await self._batcher.take(tp, self._partition(tp), records)
            except VersionsChanged:
                await self._on_thread(self._partitions.renew)
                self._assigned.pop(tp, None)
            except AWAITED as fault:
                await self._pause(fault, attempt)
                attempt += 1
        self._rewound.pop(tp, None)
        self._telemetry.taken(tp, records, result, time.monotonic() - begun)
        return result

    async def resume(self, tps: Collection[TP]) -> Mapping[TP, int]:
        """Return the offsets to read assigned partitions from.

        A rebalance does not wait for long: without an answer from Redis they are read from where the group committed. A gap
        will show, or :meth:`to_read_again` will, where no more records come.
        """
        self._telemetry.progress.assign(tps)
        self._assign(tps, await self._until_answered(self._partitions.identify))
        self._unresumed = frozenset(tps)
        partitions = {tp: self._partition(tp) for tp in tps}
        try:
            found = await asyncio.wait_for(self._until_answered(partial(resumed_offsets, partitions)), RESUME_PATIENCE)
        except TimeoutError:
            log.warning("redis_silent", partitions=len(tps), reads="where the group committed")
            return {}
        self._unresumed = frozenset()
        for tp, offset in found.items():
            self._telemetry.progress.reached(tp, offset)
        return found

    async def rewind(self, consumer: ChunkConsumer, tp: TP, gap: OffsetGap) -> None:
        """Have a partition delivered again, once; chunks that were on their way still come, and show the same gap.

        Raises :class:`RecordsGone` if the topic does not have the records any more.
        """
        offset, until = self._rewound.get(tp, (-1, 0.0))
        if offset == gap.offset and time.monotonic() < until:
            return
        with contextlib.suppress(KafkaError):  # then seek; if the gap is still there, this is called again
            (first,) = (await consumer.earliest_offsets(tp)).values()
            if first > gap.offset:
                raise RecordsGone(tp, gap.offset, first)
        log.warning("reading_again", topic=tp.topic, partition=tp.partition, reason=str(gap))
        self._telemetry.reading_again(tp, gap)
        self._rewound[tp] = gap.offset, time.monotonic() + REWIND_PATIENCE
        with contextlib.suppress(IllegalStateError):  # it was just given to another worker, which asks Redis
            await consumer.rewind(tp, gap.offset)

    async def to_read_again(self) -> list[tuple[TP, OffsetGap]]:
        """Return the partitions to read again although no record has shown a gap.

        Redis lost their effects when it was restored or failed over, or did not answer in time when they were assigned.
        """
        held, unresumed = dict(self._assigned), self._unresumed
        late = {tp: self._partition(tp) for tp in unresumed}
        try:
            lost = await self._on_thread(partial(lost_offsets, held))
            resumed = await self._on_thread(partial(resumed_offsets, late))
        except redis.RedisError:
            return []
        if self._unresumed is unresumed:  # else partitions were assigned meanwhile
            self._unresumed = frozenset()
        found: list[tuple[TP, OffsetGap]] = [(tp, OffsetGap(offset, "Redis answers late")) for tp, offset in resumed.items()]
        found += [(tp, RedisRolledBack(at, "Redis was rolled back")) for tp, at in lost.items() if tp not in unresumed]
        return [(tp, gap) for tp, gap in found if tp in self._assigned]

    def _partition(self, tp: TP) -> Partition:
        if tp not in self._assigned:
            self._assigned[tp] = self._partitions.make(tp)
        return self._assigned[tp]

    def _assign(self, tps: Collection[TP], ids: Mapping[str, str]) -> None:
        """Drop the partitions that were taken away, and those of a topic that was made anew."""
        self._assigned = {tp: one for tp, one in self._assigned.items() if tp in tps and ids[tp.topic] == self._ids[tp.topic]}
        self._ids = ids
        self._rewound.clear()

    async def _until_answered(self, ask: Callable[[], T]) -> T:
        """Ask on a thread until Redis or Kafka answers."""
        attempt = 0
        while True:
            try:
                return await self._on_thread(ask)
            except AWAITED as fault:
                await self._pause(fault, attempt)
                attempt += 1

    async def _pause(self, fault: Exception, attempt: int) -> None:
        """Wait before the next attempt, longer each time."""
        if isinstance(fault, redis.RedisError):
            self._telemetry.metrics.retries.inc()
        if attempt % 10 == 0:
            silent = "kafka_unavailable" if isinstance(fault, Unreachable) else "redis_unavailable"
            log.warning(silent, fault=str(fault), attempt=attempt)
        await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])

    async def _on_thread(self, ask: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)


def resumed_offsets(partitions: Mapping[TP, Partition]) -> dict[TP, int]:
    """Return the offset to read each partition from; those whose version was dropped meanwhile are left out."""
    found: dict[TP, int] = {}
    for tp, partition in partitions.items():
        with contextlib.suppress(VersionsChanged):
            found[tp] = partition.resume()
    return found


def lost_offsets(partitions: Mapping[TP, Partition]) -> dict[TP, int]:
    """Return the offsets to read again from, of the partitions of which Redis holds less than it did."""
    found: dict[TP, int] = {}
    for tp, partition in partitions.items():
        with contextlib.suppress(VersionsChanged):
            if (offset := partition.lost_from()) is not None:
                found[tp] = offset
    return found


def veto(message: Any) -> None:
    """Keep Faust from acknowledging a message, by making it believe that it has done so already."""
    message.acked = True
