"""The Faust app of a worker: an agent a topic, each a few lines over :class:`WorkerConsumer`.

What an agent cannot take stops the worker with nothing of it acknowledged; a record that no fold can ever take goes to the dead
letters instead, and the rest goes on.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from typing import Any, Never, cast

import faust
import structlog
from faust.types import TP

from infra.kafka.chunks import ChunkConsumer, ChunkSchema, deliver_in_chunks
from infra.kafka.clients import context
from infra.kafka.settings import KafkaSettings
from streams.kafka.topics import LARGEST_LETTER
from streams.kafka.worker.consumer import WATCH, WorkerConsumer, veto
from streams.kafka.worker.partition import OffsetGap

log = structlog.get_logger()

GROUP = "regulars"
CHUNK = 2000  # records, as measured best
LARGEST_FETCH = 17 * 2**20  # bytes; a record has up to 16 MiB
SESSION, HEARTBEAT, COMMIT = 6.0, 2.0, 0.5  # seconds; after a SIGKILL the others take over within a session


class Agents:
    """``fault``: what stopped the worker, if anything did."""

    def __init__(self, kafka: KafkaSettings, topics: Mapping[str, int], feeding: WorkerConsumer, data: str) -> None:
        self.app = configured(kafka, data)
        self.feeding = feeding
        self.topics = topics
        self.fault: Exception | None = None
        deliver_in_chunks(self.app, topics, CHUNK, feeding.observed.resuming(feeding.resume))
        self.app.on_partitions_assigned.connect(feeding.observed.assigned)
        for name, partitions in topics.items():
            topic = self.app.topic(name, partitions=partitions, schema=ChunkSchema())
            self.app.agent(topic, name=f"fold {name}", isolated_partitions=True)(self._fold)
        self.app.timer(WATCH)(self._watch)

    @property
    def consumer(self) -> ChunkConsumer:
        return cast(ChunkConsumer, self.app.consumer)

    async def _fold(self, stream: Any) -> None:
        async for records in stream:
            message = stream.current_event.message
            place = TP(message.topic, message.partition)
            try:
                await self.feeding.observed.taking(place, records, self.feeding.take(place, records))
            except OffsetGap as behind:
                veto(message)
                await self._rewind(place, behind)
            except asyncio.CancelledError:
                veto(message)
                raise
            except Exception as fault:  # noqa: BLE001 - it is said, and the worker stops
                veto(message)
                await self._stop(fault, place)

    async def _rewind(self, place: TP, behind: OffsetGap) -> None:
        try:
            await self.feeding.rewind(self.consumer, place, behind)
        except Exception as fault:  # noqa: BLE001
            await self._stop(fault, place)

    async def _watch(self) -> None:
        if self.app.rebalancing:
            return
        for place, behind in await self.feeding.to_read_again():
            await self._rewind(place, behind)

    async def _stop(self, fault: Exception, place: TP) -> Never:
        self.fault = self.feeding.observed.fault = self.fault or fault
        log.critical("worker_stops", topic=place.topic, partition=place.partition, fault=str(fault), exc_info=fault)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


class Unmonitored(faust.Monitor):
    """Faust's own monitor, without the times it takes of each message: a worker tells of itself by its metrics."""

    def on_stream_event_in(self, tp: TP, *_: Any) -> None:
        self.stream_inbound_time[tp] = time.monotonic()  # or Faust says after minutes that the stream has stopped

    def on_message_in(self, *_: Any) -> None: ...
    def on_stream_event_out(self, *_: Any) -> None: ...
    def on_message_out(self, *_: Any) -> None: ...


def configured(kafka: KafkaSettings, data: str) -> faust.App:
    return faust.App(
        GROUP,
        broker=[f"kafka://{server}" for server in kafka.bootstrap.split(",")],
        broker_credentials=credentials(kafka),
        broker_session_timeout=SESSION,
        broker_heartbeat_interval=HEARTBEAT,
        broker_request_timeout=30.0,
        broker_commit_interval=COMMIT,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=LARGEST_FETCH,
        producer_max_request_size=LARGEST_LETTER,
        datadir=data,
        stream_buffer_maxsize=16,  # chunks
        stream_wait_empty=False,
        table_standby_replicas=0,
        Monitor=Unmonitored,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
    )


def credentials(kafka: KafkaSettings) -> Any:
    encrypted = context(kafka)
    if kafka.mechanism:
        return faust.SASLCredentials(
            username=kafka.username, password=kafka.password, ssl_context=encrypted, mechanism=kafka.mechanism
        )
    return faust.SSLCredentials(encrypted) if encrypted else None
