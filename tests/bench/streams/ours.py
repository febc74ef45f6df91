"""The project: the worker's own agents, feeding and partitions, with two small folds in the place of the registry's."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Never

import faust
from faust.types import TP

from infra.embedded.valkey import connect
from infra.kafka.clients import administering
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import topic_ids
from infra.keys.ring import KeyRing
from infra.keys.sqlite import SqliteKeys
from infra.redis.views import Views
from streams.kafka.worker.agents import Agents
from streams.kafka.worker.batching import Batcher
from streams.kafka.worker.consumer import WorkerConsumer
from streams.kafka.worker.partition import BatchResult, Partition, Record
from streams.projecting.loaders import TallyLoader
from streams.projecting.projector import Projector
from streams.running.app import seldom_collected
from tests.bench.streams.course import Course, Finish, Stopwatch, given, tell
from tests.bench.streams.records import codec
from tests.bench.streams.tallies import SPENT, TIMES


class Timed(WorkerConsumer):
    """WorkerConsumer that ends the worker when the last record's effects are in Redis."""

    clock: Stopwatch
    finish: Finish | None = None

    async def take(self, place: TP, records: Sequence[Any]) -> BatchResult:
        self.clock.begin()
        taken = await super().take(place, records)
        self.finish = self.finish or self.clock.count(taken.applied)
        if self.finish:
            os.kill(os.getpid(), signal.SIGTERM)
        return taken


def work(course: Course) -> Finish:
    kafka = KafkaSettings(course.bootstrap)
    with seldom_collected(), closing(KeyRing(SqliteKeys(Path(course.home) / "keys.db"))) as keys:
        views, coding, ids = Views(connect(course.redis)), codec(keys), dict[str, str]()

        def identify() -> Mapping[str, str]:
            with administering(kafka) as admin:
                ids.update(topic_ids(admin, [course.topic]))
            return dict(ids)

        def partition(place: TP) -> Partition:
            folding = Projector(views, [TallyLoader(TIMES), TallyLoader(SPENT)], f"{place.topic}:{place.partition}")
            return Partition(folding, views, coding, ids[place.topic], dead_letter)

        feeding = Timed(partition, Batcher(views.exchange), identify)
        feeding.clock = Stopwatch(course.records)
        agents = Agents(kafka, {course.topic: course.partitions}, feeding, course.home)
        with suppress(SystemExit):
            faust.Worker(agents.app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()
    if agents.fault or feeding.finish is None:
        raise agents.fault or RuntimeError("The worker ended before the last record.")
    return feeding.finish


def dead_letter(record: Record, fold: str, reason: str) -> Never:
    raise RuntimeError(reason)


if __name__ == "__main__":
    tell(work(given()))
