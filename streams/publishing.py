"""Rows of the log become batches for the topics that carry them: from the stored bytes, in one pass for all topics."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aggregates.kernel import Recorded
from infra.event_log.log import EventLog
from infra.event_log.shapes import Row
from infra.faults import Unreadable
from infra.kafka.envelope import wrap
from infra.kafka.partitioning import Keys
from infra.kafka.producer import Place

Carried: TypeAlias = Mapping[str, frozenset[str]]
"""Which events a topic carries, by their stored names, those of old shapes too."""

ROWS = 2000  # read at a time
GROUP_BYTES = 4 * 2**20  # sent at a time, unless one row alone is larger
BACKLOG = 10_000  # rows that waiting may look through to come up to where publishing is


@dataclass
class Group:
    """Rows that are sent together: a batch for each partition. ``last``: the position of the last."""

    last: int
    rows: int = 0
    batches: dict[Place, Any] = field(default_factory=dict)


class Batches:
    """``starts``: the position behind which each partition lacks rows. ``make``: an empty batch."""

    def __init__(self, log: EventLog, carried: Carried, starts: Mapping[Place, int], make: Callable[[], Any]) -> None:
        self._log = log
        self._make = make
        self._keys = Keys()
        self._unsent: deque[Row] = deque()
        self._read = min(starts.values())
        self._all_lack = max(starts.values())  # behind this position nothing needs to be left out any more
        self._starts = starts
        counts: dict[str, int] = {}
        for topic, _ in starts:
            counts[topic] = counts.get(topic, 0) + 1
        names = frozenset[str]().union(*carried.values())
        self._topics = {
            name: tuple((topic, counts[topic]) for topic, carries in carried.items() if name in carries) for name in names
        }

    def next(self) -> Group | None:
        """The next rows; None if there are no more. Raises :class:`Unreadable` for an event that no topic is known to carry."""
        if not self._unsent:
            self._unsent.extend(self._log.since(self._read, ROWS))
            if not self._unsent:
                return None
            self._read = self._unsent[-1].position
        group, size, now = Group(0), 0, int(time.time() * 1000)
        while self._unsent:
            row = self._unsent[0]
            value = wrap(row)
            size += len(value)
            if size > GROUP_BYTES and group.rows:
                break
            self._add(group, row, value, now)
            self._unsent.popleft()
        return group

    def _add(self, group: Group, row: Row, value: bytes, now: int) -> None:
        key, hashed = self._keys.of(row.state)
        try:
            topics = self._topics[row.name]
        except KeyError:
            raise Unreadable(
                f"The log holds an event named {row.name}, which this version does not know: upgrade it."
            ) from None
        for topic, partitions in topics:
            place = topic, hashed % partitions
            if row.position <= self._all_lack and row.position <= self._starts[place]:
                continue
            batch = group.batches.get(place)
            if batch is None:
                batch = group.batches[place] = self._make()
            batch.append(timestamp=now, key=key, value=value)
        group.last = row.position
        group.rows += 1


class Waiting:
    """Until the log has rows behind a position, by the log's own subscription; all on one thread, whose connection it keeps."""

    def __init__(self, log: EventLog, stopped: threading.Event) -> None:
        self._log = log
        self._stopped = stopped
        self._seen = 0
        self._events: Iterator[list[Recorded]] = iter(())

    def until_behind(self, position: int) -> None:
        """Return once there are, or it was stopped."""
        while not self._stopped.is_set():
            if position - self._seen > BACKLOG:
                self._subscribe(position)
            for chunk in self._events:
                self._seen = chunk[-1].position
                if self._seen > position:
                    return
            self._subscribe(position)

    def _subscribe(self, position: int) -> None:
        self._seen = position
        self._events = iter(self._log.subscribe(position, self._stopped))
