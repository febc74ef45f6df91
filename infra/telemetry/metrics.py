"""What a worker counts, for Prometheus: records by topic and partition, how long they took, how far it is behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from infra.telemetry.progress import Progress

PLACE = ("topic", "partition")
APPLYING = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
AGES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 21600.0)  # seconds


class WorkerMetrics:
    """One a process, in a registry of its own."""

    def __init__(self, progress: Progress) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.records = self._counter("records", "Records that Kafka delivered.", *PLACE)
        self.applied = self._counter("records_applied", "Records whose effects were new.", *PLACE)
        self.skipped = self._counter("records_skipped", "Records whose effects were there already.", *PLACE)
        self.letters = self._counter("dead_letters", "Dead letters written, a fold's each.", "topic", "fold")
        self.again = self._counter("rereads", "Times that a partition was read again.", *PLACE, "reason")
        self.retries = self._counter("redis_retries", "Attempts that Redis did not answer.")
        self.applying = self._histogram("apply_seconds", "From a chunk's delivery until it is in Redis.", APPLYING)
        self.age = self._histogram("view_age_seconds", "Age of a chunk's oldest record once it is in Redis.", AGES)
        self.registry.register(Standings(progress))

    def up(self, what: str, answers: Callable[[], bool]) -> None:
        """Show whether a server answers."""
        Gauge(f"regulars_{what}_up", f"Whether {what} answers.", registry=self.registry).set_function(lambda: float(answers()))

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"regulars_{name}", told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"regulars_{name}", told, ("topic",), buckets=buckets, registry=self.registry)


class Standings(Collector):
    """Of the partitions that are its own at the moment; others have no series."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def collect(self) -> Iterator[GaugeMetricFamily]:
        held, waiting = self._progress.standings(), self._progress.waiting()
        lags = {place: one.lag for place, one in held.items() if one.lag is not None}
        positions = {place: one.position for place, one in held.items() if one.position}
        yield series("lag_records", "Records that are in Kafka and not applied yet.", lags)
        yield series("applied_position", "Position in the log of the latest event applied.", positions)
        yield series("checkpoint_age_seconds", "Time since the checkpoint moved though there is more; 0 if not.", waiting)
        assigned = GaugeMetricFamily("regulars_assigned_partitions", "Partitions that are its own.", labels=("topic",))
        for topic in sorted({topic for topic, _ in held}):
            assigned.add_metric((topic,), sum(name == topic for name, _ in held))
        yield assigned


def series(name: str, told: str, values: Mapping[tuple[str, int], float]) -> GaugeMetricFamily:
    made = GaugeMetricFamily(f"regulars_{name}", told, labels=PLACE)
    for (topic, partition), value in sorted(values.items()):
        made.add_metric((topic, str(partition)), value)
    return made
