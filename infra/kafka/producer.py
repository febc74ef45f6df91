"""Publish batches to Kafka, one for each partition at a time, and check that each lands where the last one ended.

The client (aiokafka, idempotent, acknowledged by all copies) retries while a broker is away. It cannot know that a topic was
created again meanwhile or lost its end; then a batch lands before the expected offset.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeAlias

from aiokafka import AIOKafkaProducer

from infra.errors import Fault, Unreachable
from infra.kafka.clients import aiokafka_options
from infra.kafka.settings import KafkaSettings

PartitionId: TypeAlias = tuple[str, int]
"""A topic and the number of its partition."""

LARGEST_BATCH = 16 * 2**20 - 1024  # bytes; topics take 16 MiB
REQUEST_TIMEOUT_MS = 10_000  # for one request
CLOSE_TIMEOUT = 0.5  # seconds for records that are on their way when it closes


class TopicTruncated(Fault):
    """Records landed before a topic's expected end: it lost records, or was created again, while it was written to."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"The topic {topic} lost records, or was created again, while it was written to.")
        self.topic = topic


class Producer:
    """A producer for one session. ``ends``: the end offset of every partition, updated with what was sent.

    Any failure ends the session; the next one finds out what has arrived.
    """

    def __init__(self, settings: KafkaSettings, ends: Mapping[PartitionId, int]) -> None:
        self.ends = dict(ends)
        self._client = AIOKafkaProducer(
            **aiokafka_options(settings),
            acks="all",
            enable_idempotence=True,
            max_batch_size=LARGEST_BATCH,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )

    def batch(self) -> Any:
        """Return an empty batch. Any thread may append to it."""
        return self._client.create_batch()

    async def publish(self, batches: Mapping[PartitionId, Any]) -> None:
        """Send one batch to each of these partitions, and wait until all are acknowledged.

        Waiting keeps a batch from overtaking one that failed. Raises :class:`TopicTruncated`, or what the client raises.
        """
        sent = {partition: await self._send(partition, batch) for partition, batch in batches.items()}
        await asyncio.wait(sent.values())
        failures = [future.exception() for future in sent.values()]
        for failure in filter(None, failures):
            raise failure
        for partition, future in sent.items():
            offset = future.result().offset
            if offset < self.ends[partition]:
                raise TopicTruncated(partition[0])
            self.ends[partition] = offset + batches[partition].record_count()

    async def _send(self, partition: PartitionId, batch: Any) -> Any:
        try:
            return await self._client.send_batch(batch, partition[0], partition=partition[1])
        except (AssertionError, TypeError) as fault:  # how the client says that the partition is gone
            raise Unreachable(f"Kafka no longer knows partition {partition[1]} of {partition[0]}.") from fault

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
        """Close the client. Without a broker it would retry for ever, so then what waits is given up."""
        try:
            await asyncio.wait_for(self._client.stop(), CLOSE_TIMEOUT)
        except TimeoutError:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._client.client.close(), CLOSE_TIMEOUT)
            if task := self._client._sender.sender_task:
                task.cancel()
                await asyncio.wait([task], timeout=CLOSE_TIMEOUT)
