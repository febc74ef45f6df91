"""The Faust app of a worker: an agent a topic, each a few lines over :class:`WorkerConsumer`.

A fault stops the worker before its chunk is acknowledged. A record that no fold can take is not a fault: it goes to the dead
letters, and the worker goes on.
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
from infra.kafka.clients import ssl_context_for
from infra.kafka.settings import KafkaSettings
from streams.kafka.topics import GROUP, LARGEST_LETTER
from streams.kafka.worker.consumer import WATCH, WorkerConsumer, veto
from streams.kafka.worker.partition import OffsetGap
from streams.kafka.worker.telemetry import WorkerTelemetry

log = structlog.get_logger()

CHUNK = 2000  # records, as measured best
LARGEST_FETCH = 17 * 2**20  # bytes; a record has up to 16 MiB
SESSION, HEARTBEAT, COMMIT = 6.0, 2.0, 0.5  # seconds; after a SIGKILL the others take over within a session


class Agents:
    """The agents of a Faust app, one a topic. ``fault``: what stopped the worker, if anything did."""

    def __init__(self, app: faust.App, topics: Mapping[str, int], consumer: WorkerConsumer, telemetry: WorkerTelemetry) -> None:
        self.app = app
        self.topics = topics
        self.telemetry = telemetry
        self.fault: Exception | None = None
        self._worker = consumer
        deliver_in_chunks(app, topics, CHUNK, consumer.resume)
        app.on_partitions_assigned.connect(telemetry.assigned)
        for name, partitions in topics.items():
            topic = app.topic(name, partitions=partitions, schema=ChunkSchema())
            app.agent(topic, name=f"fold {name}", isolated_partitions=True)(self._project)
        app.timer(WATCH)(self._watch)

    async def _project(self, stream: Any) -> None:
        """Project the chunks of a partition, one after the other."""
        async for records in stream:
            message = stream.current_event.message
            tp = TP(message.topic, message.partition)
            try:
                await self._worker.take(tp, records)
            except OffsetGap as gap:
                veto(message)
                await self._rewind(tp, gap)
            except asyncio.CancelledError:
                veto(message)
                raise
            except Exception as fault:  # noqa: BLE001 - it is logged, and the worker stops
                veto(message)
                await self._stop(fault, tp)

    async def _rewind(self, tp: TP, gap: OffsetGap) -> None:
        try:
            await self._worker.rewind(cast(ChunkConsumer, self.app.consumer), tp, gap)
        except Exception as fault:  # noqa: BLE001
            await self._stop(fault, tp)

    async def _watch(self) -> None:
        if self.app.rebalancing:
            return
        for tp, gap in await self._worker.to_read_again():
            await self._rewind(tp, gap)

    async def _stop(self, fault: Exception, tp: TP) -> Never:
        self.fault = self.telemetry.fault = self.fault or fault
        log.critical("worker_stops", topic=tp.topic, partition=tp.partition, fault=str(fault), exc_info=fault)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


class Unmonitored(faust.Monitor):
    """Faust's monitor without its timing of each message, since a worker has other metrics."""

    def on_stream_event_in(self, tp: TP, *_: Any) -> None:
        self.stream_inbound_time[tp] = time.monotonic()  # else Faust reports after minutes that the stream has stopped

    def on_message_in(self, *_: Any) -> None: ...
    def on_stream_event_out(self, *_: Any) -> None: ...
    def on_message_out(self, *_: Any) -> None: ...


def make_app(kafka: KafkaSettings, data: str) -> faust.App:
    """Return a worker's Faust app, without agents. ``data``: the folder that Faust may use."""
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
    encrypted = ssl_context_for(kafka)
    if kafka.mechanism:
        return faust.SASLCredentials(
            username=kafka.username, password=kafka.password, ssl_context=encrypted, mechanism=kafka.mechanism
        )
    return faust.SSLCredentials(encrypted) if encrypted else None
