"""What a relay counts, for Prometheus: how far it is with the log, and whether it is the one that relays."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector


class RelayMetrics:
    """One a process, in a registry of its own. What a relay that stands by tells of the log is not kept up."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._clock = clock
        self._leading: bool | None = None
        self._position, self._head, self._since = 0, 0, clock()
        self._begun = False
        self._records = Counter("regulars_relay_records", "Records published.", registry=self.registry)
        self._sessions = Counter("regulars_relay_sessions", "Producers started.", registry=self.registry)
        self._gauge("leader", "1 for the relay at work, 0 for one that stands by.", lambda: bool(self._leading))
        self._gauge("position", "Position in the log up to which all is published.", lambda: self._position)
        self._gauge("head", "Position of the log's latest event.", lambda: self._head)
        self._gauge("behind_events", "Events of the log that are not published yet.", lambda: self._behind)

    def leads(self, leader: bool) -> bool:
        """Whether it holds the lease; the answer is handed back."""
        if leader and not self._leading:
            self._since = self._clock()
        self._leading = leader
        return leader

    def begins(self) -> None:
        """A session, with a producer of its own."""
        self._begun = True
        self._sessions.inc()

    def published(self, records: int) -> None:
        self._records.inc(records)

    def reached(self, position: int) -> None:
        """All up to here is in Kafka."""
        if position != self._position:
            self._since = self._clock()
        self._position = position

    def grown(self, head: int) -> None:
        """The log's head is here now."""
        if not self._behind:
            self._since = self._clock()
        self._head = head

    def ailments(self, patience: float) -> list[str]:
        """Why it does not relay; nothing if it does, has nothing to do, or stands by."""
        waiting = self._clock() - self._since if self._leading and self._behind else 0.0
        return [f"Nothing was published for {waiting:.0f} s though there is more."] if waiting > patience else []

    def missing(self) -> list[str]:
        """What it waits for before it can begin, or stand by."""
        if self._leading is None:
            return ["The log has not answered."]
        return ["Kafka has not answered."] if self._leading and not self._begun else []

    @property
    def _behind(self) -> int:
        return max(0, self._head - self._position) if self._leading else 0

    def _gauge(self, name: str, told: str, value: Callable[[], float]) -> None:
        Gauge(f"regulars_relay_{name}", told, registry=self.registry).set_function(value)
