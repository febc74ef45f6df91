"""Records to Kafka, a batch for each partition at a time, with proof that each went where the one before it ended.

The client (aiokafka, idempotent, acknowledged by all copies) tries again by itself for as long as a broker is away. What it
cannot know is that a topic was made anew meanwhile, or lost its end: then a batch lands before the offset where it belongs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeAlias

from aiokafka import AIOKafkaProducer

from infra.errors import Fault, Unreachable
from infra.kafka.clients import asynchronous
from infra.kafka.settings import KafkaSettings

Place: TypeAlias = tuple[str, int]
"""A topic's partition."""

LARGEST_BATCH = 16 * 2**20 - 1024  # bytes; topics take 16 MiB
PATIENCE = 10_000  # milliseconds for one request
FAREWELL = 0.5  # seconds for what is on its way when it ends


class Displaced(Fault):
    """Records landed before the end of what a topic held: it was made anew, or lost records, while it was written to."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"The topic {topic} lost records, or was made anew, while it was written to.")
        self.topic = topic


class Producer:
    """One session of a client. ``ends``: the end offset of every partition that is written to; kept up with what was sent.

    Any failure ends it: the next session finds out what has arrived.
    """

    def __init__(self, settings: KafkaSettings, ends: Mapping[Place, int]) -> None:
        self.ends = dict(ends)
        self._client = AIOKafkaProducer(
            **asynchronous(settings),
            acks="all",
            enable_idempotence=True,
            max_batch_size=LARGEST_BATCH,
            request_timeout_ms=PATIENCE,
        )

    def batch(self) -> Any:
        """An empty batch; :func:`append` fills it, on any thread."""
        return self._client.create_batch()

    async def publish(self, batches: Mapping[Place, Any]) -> None:
        """Send one batch to each of these partitions and wait until all are acknowledged.

        Only then may the next be sent: a partition's batch never overtakes one that failed.
        """
        sent = {place: await self._send(place, batch) for place, batch in batches.items()}
        await asyncio.wait(sent.values())
        failures = [future.exception() for future in sent.values()]
        for failure in filter(None, failures):
            raise failure
        for place, future in sent.items():
            offset = future.result().offset
            if offset < self.ends[place]:
                raise Displaced(place[0])
            self.ends[place] = offset + batches[place].record_count()

    async def _send(self, place: Place, batch: Any) -> Any:
        try:
            return await self._client.send_batch(batch, place[0], partition=place[1])
        except (AssertionError, TypeError) as fault:  # the client's own way to say that it does not know the partition any more
            raise Unreachable(f"Kafka does not know partition {place[1]} of {place[0]} any more.") from fault

    async def __aenter__(self) -> Producer:
        try:
            await self._client.start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        """Without a broker there is no orderly end: then what waits is given up, or it would go on trying for ever."""
        try:
            await asyncio.wait_for(self._client.stop(), FAREWELL)
        except TimeoutError:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._client.client.close(), FAREWELL)
            if task := self._client._sender.sender_task:
                task.cancel()
                await asyncio.wait([task], timeout=FAREWELL)
