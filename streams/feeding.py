"""What a worker does with chunks: folds each on a thread, and has read again what Redis does not have.

A chunk is acknowledged once its effects are in Redis. Faust acknowledges whatever an agent lets go of, be it by an exception or
because it was cancelled, so a chunk that must not be is vetoed first (:func:`veto`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import redis
import structlog
from faust.types import TP

from infra.kafka.chunks import ChunkConsumer
from streams.observed import Observed
from streams.partition import Behind, Partition, SetBack, Taken

log = structlog.get_logger()

T = TypeVar("T")

THREADS = 4  # one folds while others wait for Redis
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)  # seconds between attempts while Redis does not answer; the last for ever
RESUME_PATIENCE = 5.0  # seconds of a rebalance
REWIND_PATIENCE = 5.0  # seconds until a partition that should be delivered again is asked for again
WATCH = 2.0  # seconds between looks at what Redis holds of idle partitions


class Feeding:
    """``partition``: makes the folding of one; it is kept while it is ours, and Redis tells whether it still holds.

    ``identify``: tells the broker's own ids of the topics, by name. ``observed``: what it tells of itself.
    """

    def __init__(self, partition: Callable[[TP], Partition], identify: Callable[[], Mapping[str, str]]) -> None:
        self._make = partition
        self.observed = Observed()
        self._identify = identify
        self._ids: Mapping[str, str] = {}
        self._partitions: dict[TP, Partition] = {}
        self._rewound: dict[TP, tuple[int, float]] = {}
        self._threads = ThreadPoolExecutor(THREADS, "fold")

    async def take(self, place: TP, records: Sequence[Any]) -> Taken:
        """Fold a chunk, waiting for Redis as long as it takes. Raises :class:`Behind` and whatever else is no wait's matter."""
        return await self._patiently(self._of(place).take, records)

    async def resume(self, places: Collection[TP]) -> Mapping[TP, int]:
        """Where assigned partitions are to be read from; without Redis, where the group committed, and a hole will tell."""
        ids = await self._on_thread(self._identify)
        for place in list(self._partitions):
            if place not in places or ids[place.topic] != self._ids[place.topic]:
                del self._partitions[place]
        self._ids = ids
        self._rewound.clear()
        try:
            return await asyncio.wait_for(self._resumed(places), RESUME_PATIENCE)
        except TimeoutError:
            log.warning("redis_silent", partitions=len(places), reads="where the group committed")
            return {}

    async def rewind(self, consumer: ChunkConsumer, place: TP, behind: Behind) -> None:
        """Have a partition delivered again, once; chunks that were on their way still come and are behind the same hole."""
        offset, until = self._rewound.get(place, (-1, 0.0))
        if offset == behind.offset and time.monotonic() < until:
            return
        log.warning("reading_again", topic=place.topic, partition=place.partition, reason=str(behind))
        self.observed.reading_again(place, behind)
        self._rewound[place] = behind.offset, time.monotonic() + REWIND_PATIENCE
        await consumer.rewind(place, behind.offset)

    async def watch(self, consumer: ChunkConsumer) -> None:
        """Read again what a Redis that was restored or failed over has lost of partitions where nothing comes."""
        for place, partition in list(self._partitions.items()):
            try:
                offset = await self._on_thread(partition.set_back)
            except redis.RedisError:
                return
            if offset is not None and place in self._partitions:
                await self.rewind(consumer, place, SetBack(offset, "Redis was set back"))

    def _of(self, place: TP) -> Partition:
        if place not in self._partitions:
            self._partitions[place] = self._make(place)
        return self._partitions[place]

    async def _resumed(self, places: Collection[TP]) -> Mapping[TP, int]:
        return {place: await self._patiently(self._of(place).resume) for place in places}

    async def _patiently(self, act: Callable[..., T], *arguments: Any) -> T:
        attempt = 0
        while True:
            try:
                return await self._on_thread(act, *arguments)
            except redis.RedisError as fault:
                self.observed.metrics.retries.inc()
                if attempt % 10 == 0:
                    log.warning("redis_unavailable", fault=str(fault), attempt=attempt)
                await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
                attempt += 1

    async def _on_thread(self, act: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act, *arguments)


def veto(message: Any) -> None:
    """Keep Faust from acknowledging a message whatever becomes of the agent that has it: it believes that somebody did."""
    message.acked = True
