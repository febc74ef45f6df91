"""One session of a relay: one producer, from the checkpoints on. The next rows are prepared while the last are on their way."""

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
from infra.event_log.types import Relayed
from infra.kafka.clients import administering
from infra.kafka.producer import Place, Producer
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, topic_ids
from infra.telemetry.relay_metrics import RelayMetrics
from streams.kafka.relay.background_thread import Aside
from streams.kafka.relay.publishing import Batches, Carried, Group
from streams.kafka.relay.resuming import LostLease, Resumed, resume

Told: TypeAlias = Callable[[int, int, float], None]

WATCH = 5.0  # seconds between looks at whether the topics are still the same
TELL = 0.25  # seconds between tellings while it publishes, and over which a rate is told
SAVE = 0.1  # seconds between writings of the checkpoints
MANY = 200  # rows: a backlog, which is published as fast as it goes
PACE = 0.005  # seconds from one group to the next where there is none: broker and workers have less to do for a few together


class Replaced(Fault):
    """A topic was deleted, or made anew, while it was written to."""


class Session:
    """Ends by an exception, or when told to stop; never used again. ``published``: whether anything was."""

    def __init__(
        self,
        log: EventLog,
        owner: str,
        kafka: KafkaSettings,
        topics: Sequence[Topic],
        carried: Carried,
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
        self._reading, self._booking, self._watching = map(Aside, ("relay-reading", "relay-booking", "relay-watching"))
        self._relayed: dict[str, Relayed] = {}
        self._unsaved: tuple[int, dict[Place, int]] | None = None
        self._saving: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()
        self._told = (0.0, 0, 0.0)  # when, the position then, and the rate until then

    async def run(self, stopping: asyncio.Event, tell: Told) -> None:
        """Raises :class:`LostLease`, :class:`Replaced`, :class:`~infra.kafka.producer.Displaced`, or what the client raises."""
        try:
            resumed = await self._booking.do(
                lambda: resume(self._log, self._owner, self._kafka, self._topics, self._replication)
            )
            self._relayed, self.ids = resumed.relayed, resumed.ids
            async with Producer(self._kafka, resumed.ends) as producer:
                self._metrics.begins()
                await first_of(self._relay(producer, resumed, stopping, tell), self._watch(), self._heed(stopping))
        finally:
            self._stopped.set()
            if self._saving:
                self._saving.cancel()
            for thread in (self._reading, self._booking, self._watching):
                thread.end()

    async def _relay(self, producer: Producer, resumed: Resumed, stopping: asyncio.Event, tell: Told) -> None:
        batches = Batches(self._log, self._carried, resumed.starts, producer.batch, self._stopped)
        position = min(resumed.starts.values())
        group = await self._reading.do(batches.next)
        while not stopping.is_set():
            if group is None:
                self._saved()
                self._tell(tell, position, head=batches.read)
                group = await self._reading.do(batches.awaited)
                continue
            begun, many = time.monotonic(), group.rows >= MANY
            position, group = await self._send(producer, group, batches if many else None)
            if not many:
                await asyncio.sleep(begun + PACE - time.monotonic())
                group = await self._reading.do(batches.next)
            if time.monotonic() - self._told[0] >= TELL:
                self._tell(tell, position, await self._reading.do(self._log.head))
        await self._save_all()

    async def _send(self, producer: Producer, group: Group, batches: Batches | None) -> tuple[int, Group | None]:
        """Publish a group, and prepare the one behind it meanwhile, if there are ``batches`` to be had."""
        sending = asyncio.create_task(producer.publish(group.batches)) if group.batches else None
        try:
            following = await self._reading.do(batches.next) if batches else None
            if sending:
                await sending
                self.published = True
                self._metrics.published(sum(batch.record_count() for batch in group.batches.values()))
        finally:
            if sending and not sending.done():
                sending.cancel()
        self._unsaved = group.last, dict(producer.ends)
        if self._saving is None or self._saving.done():
            self._saved()
            self._saving = asyncio.create_task(self._save())
        return group.last, following

    def _saved(self) -> None:
        """Raise what came of the last saving, if it is over."""
        if self._saving and self._saving.done():
            self._saving.result()

    async def _save_all(self) -> None:
        self._ending.set()
        if self._saving:
            await self._saving

    async def _save(self) -> None:
        """Now and then, so that nobody waits for it: what is relayed and not written down yet is relayed again, no more."""
        while self._unsaved:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), SAVE)
            (position, ends), self._unsaved = self._unsaved, None
            await self._booking.do(partial(self._advance, position, ends))

    def _advance(self, position: int, ends: dict[Place, int]) -> None:
        """Write down how far each topic is whole: not before what was lost of it is there again."""
        for topic, before in self._relayed.items():
            reached = tuple(ends[topic, number] for number in range(len(before.ends)))
            after = replace(before, position=position, ends=reached)
            if position >= before.position and after != before:
                if not self._log.advance(self._owner, topic, before, after):
                    raise LostLease
                self._relayed[topic] = after

    async def _watch(self) -> None:
        """An idle relay must notice too that a topic was made anew."""
        while True:
            await asyncio.sleep(WATCH)
            with suppress(Unreachable):
                if await self._watching.do(self._found) != self.ids:
                    raise Replaced("A topic was deleted or made anew.")

    def _found(self) -> dict[str, str]:
        with administering(self._kafka) as admin:
            return topic_ids(admin, self.ids)

    async def _heed(self, stopping: asyncio.Event) -> None:
        """A waiting thread hears of the end by its own means; the relaying itself ends the session."""
        await stopping.wait()
        self._stopped.set()
        await asyncio.Event().wait()

    def _tell(self, tell: Told, position: int, head: int) -> None:
        now = time.monotonic()
        since, was, rate = self._told
        if now - since >= TELL:
            rate = (position - was) / (now - since) if since else 0.0
            self._told = now, position, rate
        tell(position, head, rate)


async def first_of(*acts: Coroutine[Any, Any, None]) -> None:
    """Do all of them until one ends; the others are cancelled, and what it raised is raised."""
    tasks = [asyncio.create_task(act) for act in acts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
