"""What a worker does with chunks: has each folded, and has read again what Redis does not have.

A chunk is acknowledged once its effects are in Redis. Faust acknowledges whatever an agent lets go of, be it by an exception or
because it was cancelled, so a chunk that must not be is vetoed first (:func:`veto`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import redis
import structlog
from aiokafka.errors import IllegalStateError, KafkaError
from faust.types import TP

from infra.errors import Fault, Unreachable
from infra.kafka.chunks import ChunkConsumer
from streams.kafka.worker.batching import Batcher
from streams.kafka.worker.observed import WorkerTelemetry
from streams.kafka.worker.partition import BatchResult, OffsetGap, Partition, RedisRolledBack

log = structlog.get_logger()

T = TypeVar("T")

THREADS = 2  # to ask Redis and Kafka where things are
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)  # seconds between attempts while Redis or Kafka does not answer; the last for ever
RESUME_PATIENCE = 5.0  # seconds of a rebalance
REWIND_PATIENCE = 5.0  # seconds until a partition that should be delivered again is asked for again
WATCH = 2.0  # seconds between looks at what Redis holds of idle partitions


class RecordsGone(Fault):
    """A topic's beginning was removed before its effects were in Redis, or Redis was set back to before it."""

    def __init__(self, place: TP, wanted: int, first: int) -> None:
        super().__init__(
            f"The read models need {place.topic}, partition {place.partition}, from offset {wanted}, and Kafka has it from "
            f"{first} only: end relay and workers, delete the topic, and run `regulars relay`, which publishes the whole log "
            "again; what is in Redis already is skipped. Let topics keep records for longer (KAFKA_RETENTION_DAYS)."
        )


class WorkerConsumer:
    """``partition``: makes the folding of one; it is kept while it is ours, and Redis tells whether it still holds.

    ``rounds``: folds chunks. ``identify``: tells the broker's own ids of the topics, by name. ``observed``: what it tells of
    itself.
    """

    def __init__(
        self, partition: Callable[[TP], Partition], rounds: Batcher, identify: Callable[[], Mapping[str, str]]
    ) -> None:
        self._make = partition
        self._rounds = rounds
        self.observed = WorkerTelemetry()
        self._identify = identify
        self._ids: Mapping[str, str] = {}
        self._partitions: dict[TP, Partition] = {}
        self._rewound: dict[TP, tuple[int, float]] = {}
        self._unresumed: frozenset[TP] = frozenset()  # Redis has not told yet where these are to be read from
        self._threads = ThreadPoolExecutor(THREADS, "places")

    async def take(self, place: TP, records: Sequence[Any]) -> BatchResult:
        """Fold a chunk, waiting for Redis, and for Kafka to have its dead letters, as long as it takes.

        Raises :class:`OffsetGap` and whatever else is no wait's matter.
        """
        taken = await self._patiently(lambda: self._rounds.take(place, self._of(place), records))
        self._rewound.pop(place, None)
        return taken

    async def resume(self, places: Collection[TP]) -> Mapping[TP, int]:
        """Where assigned partitions are to be read from.

        A rebalance does not wait for long: without Redis they are read from where the group committed, for now. A hole will
        tell, or :meth:`to_read_again`, where nothing more comes.
        """
        ids = await self._patiently(partial(self._on_thread, self._identify))
        for place in list(self._partitions):
            if place not in places or ids[place.topic] != self._ids[place.topic]:
                del self._partitions[place]
        self._ids = ids
        self._rewound.clear()
        self._unresumed = frozenset(places)
        try:
            found = await asyncio.wait_for(self._resumed(places), RESUME_PATIENCE)
        except TimeoutError:
            log.warning("redis_silent", partitions=len(places), reads="where the group committed")
            return {}
        self._unresumed = frozenset()
        return found

    async def rewind(self, consumer: ChunkConsumer, place: TP, behind: OffsetGap) -> None:
        """Have a partition delivered again, once; chunks that were on their way still come and are behind the same hole.

        Raises :class:`RecordsGone` if the topic does not have the records any more.
        """
        offset, until = self._rewound.get(place, (-1, 0.0))
        if offset == behind.offset and time.monotonic() < until:
            return
        with contextlib.suppress(KafkaError):  # then it is tried, and asked again behind the same hole
            (first,) = (await consumer.earliest_offsets(place)).values()
            if first > behind.offset:
                raise RecordsGone(place, behind.offset, first)
        log.warning("reading_again", topic=place.topic, partition=place.partition, reason=str(behind))
        self.observed.reading_again(place, behind)
        self._rewound[place] = behind.offset, time.monotonic() + REWIND_PATIENCE
        with contextlib.suppress(IllegalStateError):  # it was just given to another, who asks Redis
            await consumer.rewind(place, behind.offset)

    async def to_read_again(self) -> list[tuple[TP, OffsetGap]]:
        """What is to be read again, also where nothing comes: what a Redis that was restored or failed over has lost, and
        what it did not tell in time."""
        held, unresumed = list(self._partitions.items()), self._unresumed
        late = [(place, self._of(place)) for place in unresumed]

        def look() -> tuple[list[int | None], list[int]]:
            return [partition.set_back() for _, partition in held], [partition.resume() for _, partition in late]

        try:
            set_back, resumed = await self._on_thread(look)
        except redis.RedisError:
            return []
        if self._unresumed is unresumed:  # else partitions were given out meanwhile
            self._unresumed = frozenset()
        told = zip((place for place, _ in late), resumed, strict=True)
        found: list[tuple[TP, OffsetGap]] = [(place, OffsetGap(offset, "Redis tells it late")) for place, offset in told]
        for (place, _), offset in zip(held, set_back, strict=True):
            if offset is not None and place not in unresumed:
                found.append((place, RedisRolledBack(offset, "Redis was set back")))
        return [(place, behind) for place, behind in found if place in self._partitions]

    def _of(self, place: TP) -> Partition:
        if place not in self._partitions:
            self._partitions[place] = self._make(place)
        return self._partitions[place]

    async def _resumed(self, places: Collection[TP]) -> Mapping[TP, int]:
        partitions = [(place, self._of(place)) for place in places]
        return await self._patiently(
            lambda: self._on_thread(lambda: {place: partition.resume() for place, partition in partitions})
        )

    async def _patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        attempt = 0
        while True:
            try:
                return await act()
            except (redis.RedisError, Unreachable) as fault:
                if isinstance(fault, redis.RedisError):
                    self.observed.metrics.retries.inc()
                if attempt % 10 == 0:
                    silent = "kafka_unavailable" if isinstance(fault, Unreachable) else "redis_unavailable"
                    log.warning(silent, fault=str(fault), attempt=attempt)
                await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
                attempt += 1

    async def _on_thread(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)


def veto(message: Any) -> None:
    """Keep Faust from acknowledging a message whatever becomes of the agent that has it: it believes that somebody did."""
    message.acked = True
