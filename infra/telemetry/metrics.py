"""What workers and relays count, for Prometheus, and how far each partition is applied."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from infra.kafka.producer import PartitionId


@dataclass(frozen=True)
class PartitionStatus:
    """``next``: the offset to read next, ``end``: where the partition ends; None if unknown. ``position``: in the log, 0 if
    unknown. ``since``: when it last moved or had no more to do.
    """

    since: float
    next: int | None = None
    end: int | None = None
    position: int = 0

    @property
    def lag(self) -> int | None:
        """Records not applied yet; None if unknown."""
        return None if self.next is None or self.end is None else max(0, self.end - self.next)


class PartitionProgress:
    """How far a process has applied its partitions. Thread-safe.

    ``assigned``: whether partitions were assigned at all, even none to this process.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._statuses: dict[PartitionId, PartitionStatus] = {}
        self._locked = threading.Lock()
        self.assigned = False

    def assign(self, places: Iterable[PartitionId]) -> None:
        """Replace the partitions that are assigned to this process."""
        with self._locked:
            now = self._clock()
            self._statuses = {(place[0], place[1]): self._statuses.get(place, PartitionStatus(now)) for place in places}
            self.assigned = True

    def reached(self, place: PartitionId, following: int, position: int = 0) -> None:
        """Record that everything before the offset ``following`` is applied."""
        with self._locked:
            if (held := self._statuses.get(place)) is not None:
                since = self._clock() if following != held.next else held.since
                self._statuses[place] = replace(held, since=since, next=following, position=position or held.position)

    def set_back(self, place: PartitionId, following: int) -> None:
        """Record that a partition is read again from an earlier offset, which is no progress."""
        with self._locked:
            if (held := self._statuses.get(place)) is not None:
                self._statuses[place] = replace(held, next=following)

    def ends(self, ends: Mapping[PartitionId, int]) -> None:
        """Record where partitions end now; those of other processes are ignored."""
        with self._locked:
            now = self._clock()
            for place, held in self._statuses.items():
                if place in ends:
                    since = held.since if held.lag else now
                    self._statuses[place] = replace(held, end=ends[place], since=since)

    def statuses(self) -> dict[PartitionId, PartitionStatus]:
        return dict(self._statuses)

    def waiting(self) -> dict[PartitionId, float]:
        """Return the seconds since each partition last moved; 0 if there is no more to do."""
        now = self._clock()
        return {place: now - held.since if held.lag else 0.0 for place, held in self.statuses().items()}


PARTITION_LABELS = ("topic", "partition")
APPLY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
AGE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 21600.0)  # seconds


class WorkerMetrics:
    """The counters of a worker. One instance a process, with its own registry."""

    def __init__(self, progress: PartitionProgress) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.records = self._counter("records", "Records that Kafka delivered.", *PARTITION_LABELS)
        self.applied = self._counter("records_applied", "Records whose effects were new.", *PARTITION_LABELS)
        self.skipped = self._counter("records_skipped", "Records whose effects had been applied before.", *PARTITION_LABELS)
        self.letters = self._counter("dead_letters", "Dead letters written, one for each fold.", "topic", "fold")
        self.again = self._counter("rereads", "How often a partition was read again.", *PARTITION_LABELS, "reason")
        self.retries = self._counter("redis_retries", "Attempts that Redis did not answer.")
        self.applying = self._histogram("apply_seconds", "Seconds from a chunk's delivery until it is in Redis.", APPLY_BUCKETS)
        self.age = self._histogram("view_age_seconds", "Age of a chunk's oldest record when it is in Redis.", AGE_BUCKETS)
        self.registry.register(PartitionCollector(progress))

    def up(self, what: str, answers: Callable[[], bool]) -> None:
        """Add a gauge that shows whether a server answers."""
        Gauge(f"regulars_{what}_up", f"Whether {what} answers.", registry=self.registry).set_function(lambda: float(answers()))

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(f"regulars_{name}", description, labels, registry=self.registry)

    def _histogram(self, name: str, description: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"regulars_{name}", description, ("topic",), buckets=buckets, registry=self.registry)


class PartitionCollector(Collector):
    """Gauges of the partitions that are assigned now; others have no series."""

    def __init__(self, progress: PartitionProgress) -> None:
        self._progress = progress

    def collect(self) -> Iterator[GaugeMetricFamily]:
        held, waiting = self._progress.statuses(), self._progress.waiting()
        lags = {place: one.lag for place, one in held.items() if one.lag is not None}
        positions = {place: one.position for place, one in held.items() if one.position}
        yield series("lag_records", "Records in Kafka that are not applied yet.", lags)
        yield series("applied_position", "Position in the log of the latest event applied.", positions)
        yield series(
            "checkpoint_age_seconds", "Seconds since the checkpoint moved although there is more; 0 if there is not.", waiting
        )
        assigned = GaugeMetricFamily("regulars_assigned_partitions", "Partitions assigned to this worker.", labels=("topic",))
        for topic in sorted({topic for topic, _ in held}):
            assigned.add_metric((topic,), sum(name == topic for name, _ in held))
        yield assigned


def series(name: str, description: str, values: Mapping[tuple[str, int], float]) -> GaugeMetricFamily:
    made = GaugeMetricFamily(f"regulars_{name}", description, labels=PARTITION_LABELS)
    for (topic, partition), value in sorted(values.items()):
        made.add_metric((topic, str(partition)), value)
    return made


class RelayMetrics:
    """The counters of a relay. One instance a process, with its own registry. A standby does not update the log's figures."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._clock = clock
        self._leading: bool | None = None
        self._position, self._head, self._since = 0, 0, clock()
        self._begun = False
        self._records = Counter("regulars_relay_records", "Records published.", registry=self.registry)
        self._sessions = Counter("regulars_relay_sessions", "Producers started.", registry=self.registry)
        self._gauge("leader", "1 for the active relay, 0 for a standby.", lambda: bool(self._leading))
        self._gauge("position", "Position in the log up to which everything is published.", lambda: self._position)
        self._gauge("head", "Position of the log's latest event.", lambda: self._head)
        self._gauge("behind_events", "Events of the log not published yet.", lambda: self._behind)

    def set_leader(self, leader: bool) -> bool:
        """Record whether the relay holds the lease, and return it."""
        if leader and not self._leading:
            self._since = self._clock()
        self._leading = leader
        return leader

    def session_began(self) -> None:
        """Record that a session began."""
        self._begun = True
        self._sessions.inc()

    def published(self, records: int) -> None:
        """Count published records."""
        self._records.inc(records)

    def reached(self, position: int) -> None:
        """Record the position up to which everything is in Kafka."""
        if position != self._position:
            self._since = self._clock()
        self._position = position

    def grown(self, head: int) -> None:
        """Record the log's head."""
        if not self._behind:
            self._since = self._clock()
        self._head = head

    def health_problems(self, patience: float) -> list[str]:
        """Return why the relay publishes nothing. An empty list: it publishes, has nothing to publish, or stands by."""
        waiting = self._clock() - self._since if self._leading and self._behind else 0.0
        return [f"Nothing was published for {waiting:.0f} s although there is more."] if waiting > patience else []

    def not_ready_reasons(self) -> list[str]:
        """Return the reasons why the relay can neither relay nor stand by yet."""
        if self._leading is None:
            return ["The log has not answered."]
        return ["Kafka has not answered."] if self._leading and not self._begun else []

    @property
    def _behind(self) -> int:
        return max(0, self._head - self._position) if self._leading else 0

    def _gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        Gauge(f"regulars_relay_{name}", description, registry=self.registry).set_function(value)
