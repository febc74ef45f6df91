"""Count and time what a worker does, and report whether it is well."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Any

import structlog
from faust.types import TP

from infra.kafka.chunks import Resume
from infra.telemetry.health import Heard
from infra.telemetry.metrics import WorkerMetrics
from infra.telemetry.progress import Progress
from streams.kafka.dead_letters.letters import DeadLetter
from streams.kafka.worker.partition import BatchResult, OffsetGap, RedisRolledBack

log = structlog.get_logger()


class WorkerTelemetry:
    """``loop``, ``redis``, ``kafka``: when each was last heard of. ``fault``: what stopped the worker."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.metrics = WorkerMetrics(self.progress)
        self.loop, self.redis, self.kafka = map(Heard, ("The event loop", "Redis", "Kafka"))
        self.fault: Exception | None = None
        for what, server in (("redis", self.redis), ("kafka", self.kafka)):
            self.metrics.up(what, lambda server=server: server.up)  # type: ignore[misc]

    async def assigned(self, *told: Any, **_: Any) -> None:
        """Faust's signal that partitions were given out: the app, and all that are this worker's now."""
        _, places = told
        self.progress.assign(places)
        log.info("partitions_assigned", partitions=len(places))

    def resuming(self, resume: Resume) -> Resume:
        """The same, and note where reading begins."""

        async def resumed(places: Collection[TP]) -> Mapping[TP, int]:
            self.progress.assign(places)
            found = await resume(places)
            for place, offset in found.items():
                self.progress.reached(place, offset)
            return found

        return resumed

    async def taking(self, place: TP, records: Sequence[Any], taking: Awaitable[BatchResult]) -> BatchResult:
        """Wait for a chunk to be folded, and note what came of it."""
        begun = time.monotonic()
        taken = await taking
        labels, metrics = (place.topic, str(place.partition)), self.metrics
        metrics.records.labels(*labels).inc(taken.records)
        metrics.applied.labels(*labels).inc(taken.applied)
        metrics.skipped.labels(*labels).inc(taken.skipped)
        metrics.applying.labels(place.topic).observe(time.monotonic() - begun)
        if taken.applied and not taken.skipped:
            metrics.age.labels(place.topic).observe(max(0.0, time.time() - records[0].timestamp / 1000))
        self.progress.reached(place, records[-1].offset + 1, taken.position)
        return taken

    def reading_again(self, place: TP, behind: OffsetGap) -> None:
        reason = "set_back" if isinstance(behind, RedisRolledBack) else "hole"
        self.metrics.again.labels(place.topic, str(place.partition), reason).inc()
        self.progress.set_back(place, behind.offset)

    def dead_lettered(self, letter: DeadLetter, event: str | None) -> None:
        """A dead letter was written. Why is in the letter alone: the reason may quote what the record says."""
        self.metrics.letters.labels(letter.topic, letter.fold).inc()
        where = {"topic": letter.topic, "partition": letter.partition, "offset": letter.offset}
        log.error("dead_letter", fold=letter.fold, position=letter.position, name=event, key=letter.key, **where)

    def ailments(self, patience: float) -> list[str]:
        """Why the worker does not work; nothing if it does, or has nothing to do."""
        stopped = [f"The worker stops: {type(self.fault).__name__}."] if self.fault else []
        stuck = [
            f"{topic}, partition {partition} has not moved for {seconds:.0f} s though there is more."
            for (topic, partition), seconds in self.progress.waiting().items()
            if seconds > patience
        ]
        return [*stopped, *self.loop.ailments(patience), *self.redis.ailments(patience), *stuck]

    def missing(self) -> list[str]:
        """What it waits for before it can begin."""
        silent = [f"{server.what} does not answer." for server in (self.redis, self.kafka) if not server.up]
        return silent if self.progress.assigned else [*silent, "No partitions were assigned yet."]
