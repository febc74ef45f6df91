"""Puts a worker together: the topics that its folds read, each partition's projector, and the dead letters."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import redis
from faust.types import TP
from redis.backoff import NoBackoff
from redis.retry import Retry

from infra.errors import Fault, Misconfigured
from infra.kafka.clients import admin_client
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import partition_counts, topic_ids
from infra.redis.views import Views
from models.learner import Learner
from streams.kafka.dead_letters.dead_letter_writer import DeadLetterWriter
from streams.kafka.dead_letters.letters import letter_of, name_in
from streams.kafka.topics import DEAD_LETTERS
from streams.kafka.worker.agents import Agents, make_app
from streams.kafka.worker.batching import Batcher
from streams.kafka.worker.consumer import WorkerConsumer
from streams.kafka.worker.partition import Partition, Record, take_together
from streams.kafka.worker.telemetry import WorkerTelemetry
from streams.projecting.follower import complete_erasures
from streams.projecting.kept import kept_folds
from streams.projecting.loaders import Fold, Loader, loader_of
from streams.projecting.projector import Projector
from streams.registry import carried, folds, sources
from streams.running.app import App
from streams.running.positions import fold_positions, lowest_beside

ERASURES = 5.0  # seconds between looks at whether an erasure can be completed


def build_worker(app: App, kafka: KafkaSettings) -> Agents:
    """Return the worker of a running system, ready for Faust to run.

    Raises :class:`Misconfigured` if a topic is missing, or if these read models are kept up from the log itself.
    """
    topics = fed_topics(app, kafka)
    app.views.client.set_retry(Retry(NoBackoff(), 0))  # the worker waits for Redis itself, and counts the attempts
    Learner(app.terms.zone)  # loads its libraries, which takes seconds: later, a rebalance would have to wait for them
    faust_app, telemetry = make_app(kafka, str(app.settings.home / "faust")), WorkerTelemetry()
    partitions = AppPartitions(app, kafka, topics, DeadLetterWriter(faust_app, DEAD_LETTERS), telemetry)
    consumer = WorkerConsumer(partitions, Batcher(take_together), telemetry)

    async def watch_erasures() -> None:
        await asyncio.to_thread(complete_seen_erasures, app)

    faust_app.timer(ERASURES)(watch_erasures)
    return Agents(faust_app, topics, consumer, telemetry)


class AppPartitions:
    """Makes the partitions of a running system, with the registry's folds, as the versions are that Redis serves and keeps."""

    def __init__(
        self, app: App, kafka: KafkaSettings, topics: Mapping[str, int], letters: DeadLetterWriter, telemetry: WorkerTelemetry
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._letters = letters
        self._telemetry = telemetry
        self._ids: Mapping[str, str] = {}
        self._lock = threading.Lock()
        self._use(app)

    def renew(self) -> None:
        """Read which versions are served and kept up; partitions that are made from now on write these."""
        with self._lock:
            now = self._app.refreshed()
            if now.views.versions != self._app.views.versions:
                self._use(now)

    def _use(self, app: App) -> None:
        every = folds(app.terms)
        sources = [f"{topic}:{number}" for topic, partitions in self._topics.items() for number in range(partitions)]
        self._fitting = app.fitting("topics", every, sources)
        self._kept = kept_folds(app.views, every)
        self._app = app

    def identify(self) -> Mapping[str, str]:
        """Return the broker's ids of the topics, by name."""
        with admin_client(self._kafka) as admin:
            self._ids = topic_ids(admin, self._topics)
        return self._ids

    def make(self, tp: TP) -> Partition:
        beside = [self._partition(tp, Views(self._app.views.client, version), some) for version, some in self._kept.items()]
        mine = [kept for kept in beside if kept.projector.loaders]
        return self._partition(tp, self._app.views, self._fitting, mine)

    def _partition(self, tp: TP, views: Views, some: Sequence[Fold], beside: Sequence[Partition] = ()) -> Partition:
        projector = Projector(views, loaders_of(self._app, some, tp.topic, views), f"{tp.topic}:{tp.partition}")
        letters = partial(self._dead_letter, tp)
        return Partition(projector, views, self._app.log.codec, self._ids[tp.topic], letters, beside)

    def _dead_letter(self, tp: TP, record: Record, fold: str, reason: str) -> None:
        letter = letter_of(record, tp.topic, tp.partition, fold, reason)
        self._letters.write(letter)
        self._telemetry.dead_lettered(letter, name_in(letter))


def complete_seen_erasures(app: App) -> None:
    """Complete the erasures that every fold has passed; if a server is silent or busy now, a later call does."""
    with contextlib.suppress(Fault, redis.RedisError):
        if app.log.incomplete_erasures():
            position = min(standing.position for standing in fold_positions(app))
            complete_erasures(app.log, app.refreshed().views, position, lambda: lowest_beside(app))


def fed_topics(app: App, kafka: KafkaSettings) -> dict[str, int]:
    """Return the topics that folds read, with how many partitions each has. Raises :class:`Misconfigured` if one is missing."""
    with admin_client(kafka) as admin:
        wanted = [*carried(app.terms), DEAD_LETTERS]
        found = partition_counts(admin, wanted)
    if missing := set(wanted) - set(found):
        raise Misconfigured(f"Kafka at {kafka.bootstrap} has no topic {', '.join(sorted(missing))}: run `regulars topics`.")
    return {name: found[name] for name in carried(app.terms)}


def loaders_of(app: App, some: Iterable[Fold], topic: str, views: Views) -> list[Loader]:
    """Return the loaders of those folds that read a topic."""
    return [loader_of(fold, app.terms.zone, views, events) for fold in some if (events := sources(fold).get(topic)) is not None]
