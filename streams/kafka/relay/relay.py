"""From the log to Kafka: one relay at a time, each topic from where it is known to be whole, until it is told to stop.

Whoever holds the lease relays; the others stand by. A session goes on from the checkpoints; whatever fails ends the session,
and the next one looks at the topics anew. What is published twice is harmless, since consumers skip by position.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias
from uuid import uuid4

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, TopicAuthorizationFailedError

from infra.errors import Misconfigured, Unreachable
from infra.event_log.log import EventLog
from infra.kafka.clients import administering
from infra.kafka.producer import Displaced
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, topic_ids
from infra.telemetry.relay_metrics import RelayMetrics
from streams.kafka.relay.background_thread import Aside
from streams.kafka.relay.publishing import Carried
from streams.kafka.relay.resuming import LostLease
from streams.kafka.relay.session import Replaced, Session

TOLD = logging.getLogger("regulars.relay")
LEASE = 10.0  # seconds
STANDBY = 1.0  # seconds between looks at whether the lease is free
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # seconds after a failed session, doubled each time
GRACE = 0.7  # seconds for the rows in hand, when it is stopped

HOPELESS = (MessageSizeTooLargeError, TopicAuthorizationFailedError)
PASSING = (KafkaError, OSError, Unreachable, Displaced, Replaced, TimeoutError)


@dataclass(frozen=True)
class Progress:
    """``state``: a word or two. ``position`` of the log's ``head``; ``rate``: rows a second, lately."""

    state: str
    position: int = 0
    head: int = 0
    rate: float = 0.0


Tell: TypeAlias = Callable[[Progress], None]


@dataclass
class Relay:
    """``carried``: which events each of the ``topics`` carries. ``lease``: seconds that it holds unless it is renewed."""

    log: EventLog
    kafka: KafkaSettings
    topics: Sequence[Topic]
    carried: Carried
    replication: int | None = None
    tell: Tell = lambda _: None
    lease: float = LEASE
    metrics: RelayMetrics = field(default_factory=RelayMetrics)

    def __post_init__(self) -> None:
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex}"
        self.leasing = Aside("relay-leasing")

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay, or stand by, until ``stopping`` is set.

        Raises :class:`~infra.errors.Misconfigured` or :class:`~infra.errors.Unreadable` where trying again would not help.
        """
        while not stopping.is_set():
            try:
                mine = await self.leasing.do(self._take)
            except Unreachable as fault:
                TOLD.warning("The log cannot be asked for the lease: %s", fault)
                mine = False
            if self.metrics.leads(mine):
                await self._reign(stopping)
            else:
                self.tell(Progress("standing by: another relay is at work"))
                await pause(STANDBY, stopping)

    async def _reign(self, stopping: asyncio.Event) -> None:
        """Relay for as long as the lease is renewed in time."""
        relaying = asyncio.create_task(self._sessions(stopping))
        renewing = asyncio.create_task(self._renew())
        told_to_stop = asyncio.create_task(stopping.wait())
        tasks = (relaying, renewing, told_to_stop)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stopping.is_set():
                await asyncio.wait([relaying], timeout=GRACE)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(relaying, renewing, told_to_stop, return_exceptions=True)
            try:
                await self.leasing.do(lambda: self.log.release_lease(self.owner))
            except Unreachable as fault:
                TOLD.warning("The lease runs out by itself: %s", fault)
        for outcome in ended:
            if isinstance(outcome, LostLease):
                TOLD.warning("Another relay has taken over.")
            elif isinstance(outcome, Exception):
                raise outcome

    async def _renew(self) -> None:
        """Raises :class:`LostLease`, also if the log could not be asked for so long that it has run out."""
        clock = asyncio.get_running_loop()
        until = clock.time() + self.lease
        while True:
            await asyncio.sleep(self.lease / 3)
            asked = clock.time()
            try:
                if not await self.leasing.do(self._take):
                    raise LostLease
                until = asked + self.lease
            except Unreachable as fault:
                TOLD.warning("The lease could not be renewed: %s", fault)
                if clock.time() > until:
                    raise LostLease from fault

    async def _sessions(self, stopping: asyncio.Event) -> None:
        """One after the other, with a pause behind each that failed."""
        wait = FIRST_PAUSE
        while not stopping.is_set():
            session = Session(self.log, self.owner, self.kafka, self.topics, self.carried, self.replication, self.metrics)
            try:
                await session.run(stopping, lambda position, head, rate: self.tell(Progress("relaying", position, head, rate)))
            except HOPELESS as fault:
                raise Misconfigured(f"Kafka refuses a record ({type(fault).__name__}: {fault}).") from fault
            except PASSING as fault:
                wait = FIRST_PAUSE if session.published else min(2 * wait, LONGEST_PAUSE)
                TOLD.warning("%s Again in %.1f s.", said(fault), wait)
                self.tell(Progress(f"waiting: {said(fault)}"))
                if isinstance(fault, Displaced):
                    await self.leasing.do(partial(self._drop, fault.topic, session.ids))
                await pause(wait, stopping)

    def _take(self) -> bool:
        return self.log.take_lease(self.owner, self.lease)

    def _drop(self, topic: str, ids: dict[str, str]) -> None:
        """A topic with a hole in its midst cannot be mended: unless it was made anew already, it is, and published again."""
        with administering(self.kafka) as admin:
            if topic_ids(admin, [topic]).get(topic) == ids[topic]:
                admin.delete_topics([topic])


def said(fault: BaseException) -> str:
    text = str(fault).splitlines()[0] if str(fault) else ""
    return text if text.endswith(".") else f"{type(fault).__name__}: {text}."


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Sleep, unless told to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
