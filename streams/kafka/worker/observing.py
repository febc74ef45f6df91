"""Looking after a worker while it works: a thread that asks Kafka and Redis how things are, and a port that tells."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial

import redis
import structlog
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from redis.backoff import NoBackoff
from redis.retry import Retry

from infra.errors import Unreachable
from infra.kafka.clients import admin, answering
from infra.kafka.offsets import end_offsets
from infra.kafka.settings import KafkaSettings
from infra.telemetry.probes import probes
from infra.telemetry.settings import Observation
from streams.kafka.worker.observed import WorkerTelemetry

log = structlog.get_logger()

LOOK = 2.0  # seconds between looks
ANSWER = 2.0  # seconds Redis may take


@contextmanager
def observing(
    settings: Observation, observed: WorkerTelemetry, kafka: KafkaSettings, redis_url: str, topics: Mapping[str, int]
) -> Iterator[None]:
    """Serve metrics and health of a worker until the end of the block, if a port is set.

    Raises :class:`~infra.errors.Misconfigured` if the port cannot be had.
    """
    patience = settings.patience
    with probes(settings, observed.metrics.registry, lambda: observed.ailments(patience), observed.missing) as port:
        if port is None:
            yield
            return
        stopped = threading.Event()
        ask_kafka = partial(watch_kafka, observed, kafka, topics)
        for look in (ask_kafka, partial(watch_redis, observed, redis_url)):  # a thread each: either may be slow to answer
            threading.Thread(target=look, args=(stopped,), name="look", daemon=True).start()
        try:
            yield
        finally:
            stopped.set()


def watch_kafka(observed: WorkerTelemetry, kafka: KafkaSettings, topics: Mapping[str, int], stopped: threading.Event) -> None:
    """Ask where the partitions end, again and again."""
    client: KafkaAdminClient | None = None
    while not stopped.is_set():
        try:
            with answering(kafka):
                client = client or admin(kafka)
                ends = end_offsets(client, topics)
        except Unreachable as fault:
            if observed.kafka.up:
                log.warning("kafka_silent", fault=str(fault))
            observed.kafka.missed()
            with suppress(KafkaError, OSError):
                client = client and client.close()
        else:
            observed.kafka.heard()
            observed.progress.ends({(name, at): end for name, all_ends in ends.items() for at, end in enumerate(all_ends)})
        stopped.wait(LOOK)


def watch_redis(observed: WorkerTelemetry, url: str, stopped: threading.Event) -> None:
    """Ask whether it answers, again and again."""
    once = Retry(NoBackoff(), 0)
    with closing(redis.Redis.from_url(url, socket_timeout=ANSWER, socket_connect_timeout=ANSWER, retry=once)) as client:
        while not stopped.is_set():
            try:
                client.ping()
            except redis.RedisError:
                observed.redis.missed()
            else:
                observed.redis.heard()
            stopped.wait(LOOK)
