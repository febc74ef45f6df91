"""One session of a relay: one producer, from the checkpoints on. It prepares the next rows while the last are being sent."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from infra.errors import Fault, Unreachable
from infra.event_log.log import EventLog
from infra.event_log.types import RelayCheckpoint
from infra.kafka.clients import admin_client
from infra.kafka.producer import PartitionId, Producer
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, topic_ids
from infra.telemetry.metrics import RelayMetrics
from streams.kafka.relay.background_thread import BackgroundThread
from streams.kafka.relay.batches import BatchReader, RowGroup, TopicEvents
from streams.kafka.relay.resuming import LeaseLost, ResumePoint, resume

ReportRates: TypeAlias = Callable[[int, int, float], None]

WATCH = 5.0  # seconds between checks that the topics are the same
REPORT = 0.25  # seconds between progress reports, and the span of a reported rate
SAVE = 0.1  # seconds between writes of the checkpoints
MANY = 200  # rows; so many are a backlog, published as fast as possible
PACE = 0.005  # seconds between groups without a backlog; larger groups cost broker and workers less


class TopicReplaced(Fault):
    """A topic was deleted, or created again, while it was written to."""


class RelaySession:
    """Ends by an exception or when stopped, and is not used again. ``published``: whether anything was published."""

    def __init__(
        self,
        log: EventLog,
        owner: str,
        kafka: KafkaSettings,
        topics: Sequence[Topic],
        carried: TopicEvents,
        replication: int | None,
        metrics: RelayMetrics,
    ) -> None:
        self._metrics = metrics
        self.published = False
        self.ids: dict[str, str] = {}
        self._log = log
        self._owner = owner
        self._kafka = kafka
        self._topics = [topic for topic in topics if topic.name in carried]
        self._carried = carried
        self._replication = replication
        self._stopped = threading.Event()
        self._reading, self._checkpointing, self._watching = map(
            BackgroundThread, ("relay-reading", "relay-checkpointing", "relay-watching")
        )
        self._relayed: dict[str, RelayCheckpoint] = {}
        self._unsaved: tuple[int, dict[PartitionId, int]] | None = None
        self._saving: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()
        self._reported = (0.0, 0, 0.0)  # time, position and rate of the last report

    async def run(self, stopping: asyncio.Event, report: ReportRates) -> None:
        """Publish until ``stopping`` is set.

        Raises :class:`LeaseLost`, :class:`TopicReplaced`, :class:`~infra.kafka.producer.TopicTruncated`, or what the
        client raises.
        """
        try:
            resumed = await self._checkpointing.run(
                lambda: resume(self._log, self._owner, self._kafka, self._topics, self._replication)
            )
            self._relayed, self.ids = resumed.relayed, resumed.ids
            async with Producer(self._kafka, resumed.ends) as producer:
                self._metrics.session_began()
                await first_of(self._relay(producer, resumed, stopping, report), self._watch(), self._stop_reading(stopping))
        finally:
            self._stopped.set()
            if self._saving:
                self._saving.cancel()
            for thread in (self._reading, self._checkpointing, self._watching):
                thread.end()

    async def _relay(self, producer: Producer, resumed: ResumePoint, stopping: asyncio.Event, report: ReportRates) -> None:
        batches = BatchReader(self._log, self._carried, resumed.starts, producer.batch, self._stopped)
        position = min(resumed.starts.values())
        group = await self._reading.run(batches.next)
        while not stopping.is_set():
            if group is None:
                self._raise_save_error()
                self._report(report, position, head=batches.read)
                group = await self._reading.run(batches.wait_for_next)
                continue
            begun, many = time.monotonic(), group.rows >= MANY
            position, group = await self._send(producer, group, batches if many else None)
            if not many:
                await asyncio.sleep(begun + PACE - time.monotonic())
                group = await self._reading.run(batches.next)
            if time.monotonic() - self._reported[0] >= REPORT:
                self._report(report, position, await self._reading.run(self._log.head))
        await self._save_all()

    async def _send(self, producer: Producer, group: RowGroup, batches: BatchReader | None) -> tuple[int, RowGroup | None]:
        """Publish a group and read the next one meanwhile, if ``batches`` is given."""
        sending = asyncio.create_task(producer.publish(group.batches)) if group.batches else None
        try:
            following = await self._reading.run(batches.next) if batches else None
            if sending:
                await sending
                self.published = True
                self._metrics.published(sum(batch.record_count() for batch in group.batches.values()))
        finally:
            if sending and not sending.done():
                sending.cancel()
        self._unsaved = group.last, dict(producer.ends)
        if self._saving is None or self._saving.done():
            self._raise_save_error()
            self._saving = asyncio.create_task(self._save())
        return group.last, following

    def _raise_save_error(self) -> None:
        """Raise the error of the last save, if it failed."""
        if self._saving and self._saving.done():
            self._saving.result()

    async def _save_all(self) -> None:
        self._ending.set()
        if self._saving:
            await self._saving

    async def _save(self) -> None:
        """Write the checkpoints now and then. What is relayed but not written down yet is at worst relayed again."""
        while self._unsaved:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), SAVE)
            (position, ends), self._unsaved = self._unsaved, None
            await self._checkpointing.run(partial(self._advance, position, ends))

    def _advance(self, position: int, ends: dict[PartitionId, int]) -> None:
        """Move each topic's checkpoint, but not before what it lost is published again."""
        for topic, before in self._relayed.items():
            reached = tuple(ends[topic, number] for number in range(len(before.ends)))
            after = replace(before, position=position, ends=reached)
            if position >= before.position and after != before:
                if not self._log.advance(self._owner, topic, before, after):
                    raise LeaseLost
                self._relayed[topic] = after

    async def _watch(self) -> None:
        """Raise :class:`TopicReplaced` if a topic was deleted or created again, even while nothing is published."""
        while True:
            await asyncio.sleep(WATCH)
            with suppress(Unreachable):
                if await self._watching.run(self._read_ids) != self.ids:
                    raise TopicReplaced("A topic was deleted or created again.")

    def _read_ids(self) -> dict[str, str]:
        with admin_client(self._kafka) as admin:
            return topic_ids(admin, self.ids)

    async def _stop_reading(self, stopping: asyncio.Event) -> None:
        """Wake the reading thread when ``stopping`` is set; :meth:`_relay` then ends the session."""
        await stopping.wait()
        self._stopped.set()
        await asyncio.Event().wait()

    def _report(self, report: ReportRates, position: int, head: int) -> None:
        now = time.monotonic()
        since, was, rate = self._reported
        if now - since >= REPORT:
            rate = (position - was) / (now - since) if since else 0.0
            self._reported = now, position, rate
        report(position, head, rate)


async def first_of(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run coroutines until the first one ends, cancel the others, and raise what it raised."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
