"""The project: the worker's own agents, consumer and partitions, with two small folds instead of the registry's."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Never

import faust
from faust.types import TP

from infra.codec import Codec
from infra.embedded.valkey import connect
from infra.kafka.clients import admin_client
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import topic_ids
from infra.keys.ring import KeyRing
from infra.keys.stores import SqliteKeys
from infra.redis.views import Views
from streams.kafka.worker.agents import Agents, make_app
from streams.kafka.worker.batching import Batcher
from streams.kafka.worker.consumer import WorkerConsumer
from streams.kafka.worker.partition import BatchResult, Partition, Record, take_together
from streams.kafka.worker.telemetry import WorkerTelemetry
from streams.projecting.loaders import TallyLoader
from streams.projecting.projector import Projector
from streams.running.app import tuned_garbage_collection
from tests.bench.streams.course import Course, Finish, Stopwatch, given, tell
from tests.bench.streams.records import codec
from tests.bench.streams.tallies import SPENT, TIMES


class Timed(WorkerConsumer):
    """WorkerConsumer that ends the worker when the last record's effects are in Redis."""

    clock: Stopwatch
    finish: Finish | None = None

    async def take(self, tp: TP, records: Sequence[Any]) -> BatchResult:
        self.clock.begin()
        taken = await super().take(tp, records)
        self.finish = self.finish or self.clock.count(taken.applied)
        if self.finish:
            os.kill(os.getpid(), signal.SIGTERM)
        return taken


class TwoTallies:
    """Makes partitions of two small folds."""

    def __init__(self, views: Views, codec: Codec, kafka: KafkaSettings, topic: str) -> None:
        self._views = views
        self._codec = codec
        self._kafka = kafka
        self._topic = topic
        self._ids: Mapping[str, str] = {}

    def identify(self) -> Mapping[str, str]:
        with admin_client(self._kafka) as admin:
            self._ids = topic_ids(admin, [self._topic])
        return self._ids

    def renew(self) -> None: ...

    def make(self, tp: TP) -> Partition:
        projector = Projector(self._views, [TallyLoader(TIMES), TallyLoader(SPENT)], f"{tp.topic}:{tp.partition}")
        return Partition(projector, self._views, self._codec, self._ids[tp.topic], dead_letter)


def work(course: Course) -> Finish:
    kafka = KafkaSettings(course.bootstrap)
    with tuned_garbage_collection(), closing(KeyRing(SqliteKeys(Path(course.home) / "keys.db"))) as keys:
        views = Views(connect(course.redis))
        telemetry = WorkerTelemetry()
        partitions = TwoTallies(views, codec(keys), kafka, course.topic)
        consumer = Timed(partitions, Batcher(take_together), telemetry)
        consumer.clock = Stopwatch(course.records)
        agents = Agents(make_app(kafka, course.home), {course.topic: course.partitions}, consumer, telemetry)
        with suppress(SystemExit):
            faust.Worker(agents.app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()
    if agents.fault or consumer.finish is None:
        raise agents.fault or RuntimeError("The worker ended before the last record.")
    return consumer.finish


def dead_letter(record: Record, fold: str, reason: str) -> Never:
    raise RuntimeError(reason)


if __name__ == "__main__":
    tell(work(given()))
