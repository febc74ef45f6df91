"""What a worker reports: metrics of its chunks, its log lines, whether it is well, and a port that serves them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any

import redis
import structlog
from faust.types import TP
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from redis.backoff import NoBackoff
from redis.retry import Retry

from infra.errors import Unreachable
from infra.kafka.clients import new_admin_client, translate_kafka_errors
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import end_offsets
from infra.telemetry.metrics import PartitionProgress, WorkerMetrics
from infra.telemetry.probes import Heartbeat, serve_probes
from infra.telemetry.settings import TelemetrySettings
from streams.kafka.dead_letters.letters import DeadLetter
from streams.kafka.worker.partition import BatchResult, OffsetGap, RedisRolledBack

log = structlog.get_logger()

LOOK = 2.0  # seconds between looks at Kafka and Redis
ANSWER = 2.0  # seconds Redis may take


class WorkerTelemetry:
    """``loop``, ``redis``, ``kafka``: when each was last heard of. ``fault``: what stopped the worker."""

    def __init__(self) -> None:
        self.progress = PartitionProgress()
        self.metrics = WorkerMetrics(self.progress)
        self.loop, self.redis, self.kafka = map(Heartbeat, ("The event loop", "Redis", "Kafka"))
        self.fault: Exception | None = None
        for what, server in (("redis", self.redis), ("kafka", self.kafka)):
            self.metrics.up(what, lambda server=server: server.up)  # type: ignore[misc]

    async def assigned(self, *arguments: Any, **_: Any) -> None:
        """Note the partitions that are this worker's now: Faust's signal, with the app and all of them."""
        _, tps = arguments
        self.progress.assign(tps)
        log.info("partitions_assigned", partitions=len(tps))

    def taken(self, tp: TP, records: Sequence[Any], result: BatchResult, seconds: float) -> None:
        """Count a chunk that is in Redis. ``seconds``: since it was delivered."""
        labels, metrics = (tp.topic, str(tp.partition)), self.metrics
        metrics.records.labels(*labels).inc(result.records)
        metrics.applied.labels(*labels).inc(result.applied)
        metrics.skipped.labels(*labels).inc(result.skipped)
        metrics.applying.labels(tp.topic).observe(seconds)
        if result.applied and not result.skipped:
            metrics.age.labels(tp.topic).observe(max(0.0, time.time() - records[0].timestamp / 1000))
        self.progress.reached(tp, records[-1].offset + 1, result.position)

    def reading_again(self, tp: TP, gap: OffsetGap) -> None:
        """Count that a partition is read again."""
        reason = "set_back" if isinstance(gap, RedisRolledBack) else "hole"
        self.metrics.again.labels(tp.topic, str(tp.partition), reason).inc()
        self.progress.set_back(tp, gap.offset)

    def dead_lettered(self, letter: DeadLetter, event: str | None) -> None:
        """Report a dead letter, without its reason, which may quote what the record says."""
        self.metrics.letters.labels(letter.topic, letter.fold).inc()
        where = {"topic": letter.topic, "partition": letter.partition, "offset": letter.offset}
        log.error("dead_letter", fold=letter.fold, position=letter.position, name=event, key=letter.key, **where)

    def health_problems(self, patience: float) -> list[str]:
        """Return why the worker does not work; nothing if it does, or has nothing to do."""
        stopped = [f"The worker stops: {type(self.fault).__name__}."] if self.fault else []
        stuck = [
            f"{topic}, partition {partition} has not moved for {seconds:.0f} s though there is more."
            for (topic, partition), seconds in self.progress.waiting().items()
            if seconds > patience
        ]
        return [*stopped, *self.loop.health_problems(patience), *self.redis.health_problems(patience), *stuck]

    def missing(self) -> list[str]:
        """Return what the worker waits for before it can begin."""
        silent = [f"{server.what} does not answer." for server in (self.redis, self.kafka) if not server.up]
        return silent if self.progress.assigned else [*silent, "No partitions were assigned yet."]


@contextmanager
def observing(
    settings: TelemetrySettings, telemetry: WorkerTelemetry, kafka: KafkaSettings, redis_url: str, topics: Mapping[str, int]
) -> Iterator[None]:
    """Serve a worker's metrics and health until the end of the block, if a port is set.

    Raises :class:`~infra.errors.Misconfigured` if the port cannot be had.
    """
    patience = settings.patience
    with serve_probes(
        settings, telemetry.metrics.registry, lambda: telemetry.health_problems(patience), telemetry.missing
    ) as port:
        if port is None:
            yield
            return
        stopped = threading.Event()
        ask_kafka = partial(watch_kafka, telemetry, kafka, topics)
        for look in (ask_kafka, partial(watch_redis, telemetry, redis_url)):  # a thread each: either may be slow to answer
            threading.Thread(target=look, args=(stopped,), name="look", daemon=True).start()
        try:
            yield
        finally:
            stopped.set()


def watch_kafka(telemetry: WorkerTelemetry, kafka: KafkaSettings, topics: Mapping[str, int], stopped: threading.Event) -> None:
    """Ask every few seconds where the partitions end."""
    client: KafkaAdminClient | None = None
    while not stopped.is_set():
        try:
            with translate_kafka_errors(kafka):
                client = client or new_admin_client(kafka)
                ends = end_offsets(client, topics)
        except Unreachable as fault:
            if telemetry.kafka.up:
                log.warning("kafka_silent", fault=str(fault))
            telemetry.kafka.record_failure()
            with suppress(KafkaError, OSError):
                client = client and client.close()
        else:
            telemetry.kafka.record()
            telemetry.progress.ends({(name, at): end for name, all_ends in ends.items() for at, end in enumerate(all_ends)})
        stopped.wait(LOOK)


def watch_redis(telemetry: WorkerTelemetry, url: str, stopped: threading.Event) -> None:
    """Ask every few seconds whether Redis answers."""
    once = Retry(NoBackoff(), 0)
    with closing(redis.Redis.from_url(url, socket_timeout=ANSWER, socket_connect_timeout=ANSWER, retry=once)) as client:
        while not stopped.is_set():
            try:
                client.ping()
            except redis.RedisError:
                telemetry.redis.record_failure()
            else:
                telemetry.redis.record()
            stopped.wait(LOOK)
