"""Publish the log to Kafka: one relay at a time, each topic from its checkpoint, until it is stopped.

The relay that holds the lease publishes; the others stand by. Any failure ends a session, and the next one looks at the topics
again. Publishing a row twice is harmless, since consumers skip by position.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias
from uuid import uuid4

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, TopicAuthorizationFailedError

from infra.errors import Fault, Misconfigured, Unreachable
from infra.event_log.log import EventLog
from infra.kafka.clients import admin_client
from infra.kafka.producer import TopicTruncated
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, topic_ids
from infra.telemetry.metrics import RelayMetrics
from infra.telemetry.probes import Heartbeat, keep_beating, serve_probes
from infra.telemetry.settings import TelemetrySettings
from streams.kafka.relay.background_thread import BackgroundThread
from streams.kafka.relay.batches import TopicEvents
from streams.kafka.relay.resuming import LeaseLost
from streams.kafka.relay.session import RelaySession, TopicReplaced

LOGGER = logging.getLogger("regulars.relay")
LEASE = 10.0  # seconds
STANDBY = 1.0  # seconds between attempts to take the lease
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # seconds after a failed session, doubled each time
GRACE = 0.7  # seconds to finish the current rows when it is stopped

FATAL = (MessageSizeTooLargeError, TopicAuthorizationFailedError)
TEMPORARY = (KafkaError, OSError, Unreachable, TopicTruncated, TopicReplaced, TimeoutError)


@dataclass(frozen=True)
class RelayProgress:
    """``state``: a word or two. ``position``: published up to, of the log's ``head``. ``rate``: rows a second, lately."""

    state: str
    position: int = 0
    head: int = 0
    rate: float = 0.0


ReportProgress: TypeAlias = Callable[[RelayProgress], None]


@dataclass
class Relay:
    """A relay. ``carried``: which events each of the ``topics`` carries. ``lease``: seconds it holds unless it is renewed."""

    log: EventLog
    kafka: KafkaSettings
    topics: Sequence[Topic]
    carried: TopicEvents
    replication: int | None = None
    tell: ReportProgress = lambda _: None
    lease: float = LEASE
    metrics: RelayMetrics = field(default_factory=RelayMetrics)

    def __post_init__(self) -> None:
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex}"
        self.leasing = BackgroundThread("relay-leasing")

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay, or stand by, until ``stopping`` is set.

        Raises :class:`~infra.errors.Misconfigured` or :class:`~infra.errors.Unreadable` if a retry would not help.
        """
        while not stopping.is_set():
            try:
                mine = await self.leasing.run(self._take)
            except Unreachable as fault:
                LOGGER.warning("The lease cannot be taken: %s", fault)
                mine = False
            if self.metrics.set_leader(mine):
                await self._lead(stopping)
            else:
                self.tell(RelayProgress("standing by: another relay is active"))
                await pause(STANDBY, stopping)

    async def _lead(self, stopping: asyncio.Event) -> None:
        """Relay while the lease is renewed in time."""
        relaying = asyncio.create_task(self._sessions(stopping))
        renewing = asyncio.create_task(self._renew())
        stop_requested = asyncio.create_task(stopping.wait())
        tasks = (relaying, renewing, stop_requested)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stopping.is_set():
                await asyncio.wait([relaying], timeout=GRACE)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(relaying, renewing, stop_requested, return_exceptions=True)
            try:
                await self.leasing.run(lambda: self.log.release_lease(self.owner))
            except Unreachable as fault:
                LOGGER.warning("The lease was not released and will expire: %s", fault)
        for outcome in ended:
            if isinstance(outcome, LeaseLost):
                LOGGER.warning("Another relay has taken over.")
            elif isinstance(outcome, Exception):
                raise outcome

    async def _renew(self) -> None:
        """Renew the lease. Raises :class:`LeaseLost`, also if the log did not answer until it expired."""
        clock = asyncio.get_running_loop()
        until = clock.time() + self.lease
        while True:
            await asyncio.sleep(self.lease / 3)
            requested = clock.time()
            try:
                if not await self.leasing.run(self._take):
                    raise LeaseLost
                until = requested + self.lease
            except Unreachable as fault:
                LOGGER.warning("The lease could not be renewed: %s", fault)
                if clock.time() > until:
                    raise LeaseLost from fault

    async def _sessions(self, stopping: asyncio.Event) -> None:
        """Run one session after the other, with a pause after each that failed."""
        wait = FIRST_PAUSE
        while not stopping.is_set():
            session = RelaySession(self.log, self.owner, self.kafka, self.topics, self.carried, self.replication, self.metrics)
            try:
                await session.run(
                    stopping, lambda position, head, rate: self.tell(RelayProgress("relaying", position, head, rate))
                )
            except FATAL as fault:
                raise Misconfigured(f"Kafka refuses a record ({type(fault).__name__}: {fault}).") from fault
            except TEMPORARY as fault:
                wait = FIRST_PAUSE if session.published else min(2 * wait, LONGEST_PAUSE)
                LOGGER.warning("%s Retrying in %.1f s.", describe_error(fault), wait)
                self.tell(RelayProgress(f"waiting: {describe_error(fault)}"))
                if isinstance(fault, TopicTruncated):
                    await self.leasing.run(partial(self._drop, fault.topic, session.ids))
                await pause(wait, stopping)

    def _take(self) -> bool:
        return self.log.take_lease(self.owner, self.lease)

    def _drop(self, topic: str, ids: dict[str, str]) -> None:
        """Delete a topic with a gap, unless it was created again already. The next session creates and publishes it."""
        with admin_client(self.kafka) as admin:
            if topic_ids(admin, [topic]).get(topic) == ids[topic]:
                admin.delete_topics([topic])


def describe_error(fault: BaseException) -> str:
    """Return an error's first line, with its type unless it is a sentence."""
    text = str(fault).splitlines()[0] if str(fault) else ""
    return text if text.endswith(".") else f"{type(fault).__name__}: {text}."


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Sleep, or return at once when ``stopping`` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


LOOK = 2.0  # seconds between reads of the log's head


@contextmanager
def serve_relay_probes(settings: TelemetrySettings, metrics: RelayMetrics, log: EventLog) -> Iterator[None]:
    """Serve metrics and health of a relay in this event loop until the end of the block, if a port is set.

    Raises :class:`~infra.errors.Misconfigured` if the port cannot be used.
    """
    heartbeat = Heartbeat("The event loop")
    keep_beating(asyncio.get_running_loop(), heartbeat)

    def health_problems() -> list[str]:
        return [*heartbeat.health_problems(settings.patience), *metrics.health_problems(settings.patience)]

    with serve_probes(settings, metrics.registry, health_problems, metrics.not_ready_reasons) as port:
        stopped = threading.Event()
        looking = threading.Thread(target=watch_log, args=(metrics, log, stopped), name="look", daemon=True)
        if port is not None:
            looking.start()
        try:
            yield
        finally:
            stopped.set()
            if looking.is_alive():
                looking.join()


def watch_log(metrics: RelayMetrics, log: EventLog, stopped: threading.Event) -> None:
    """Read the log's head regularly. If the log does not answer, the last value stays."""
    while not stopped.is_set():
        with suppress(Fault):
            metrics.grown(log.head())
        stopped.wait(LOOK)
