"""Turn rows of the log into batches for the topics that carry them, in one pass and without decoding."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from infra.errors import Unreadable
from infra.event_log.log import EventLog
from infra.event_log.types import Row
from infra.kafka.producer import PartitionId
from infra.kafka.records import KeyHashes, to_record

TopicEvents: TypeAlias = Mapping[str, frozenset[str]]
"""Topic → stored names of the events it carries, old versions too."""

ROWS = 2000  # read at a time
GROUP_BYTES = 4 * 2**20  # sent at a time, unless one row alone is larger


@dataclass
class RowGroup:
    """Rows sent together, as a batch for each partition. ``last``: the position of the last row."""

    last: int
    rows: int = 0
    batches: dict[PartitionId, Any] = field(default_factory=dict)


class BatchReader:
    """Reads the log, on one thread. ``starts``: after which position each partition lacks rows. ``make``: makes an empty batch.

    ``read``: the position up to which the log was read.
    """

    def __init__(
        self,
        log: EventLog,
        carried: TopicEvents,
        starts: Mapping[PartitionId, int],
        make: Callable[[], Any],
        stopped: threading.Event,
    ) -> None:
        self._log = log
        self._make = make
        self._keys = KeyHashes()
        self._unsent: deque[Row] = deque()
        self.read = min(starts.values())
        self._subscription = log.subscribe_rows(self.read, stopped)
        self._awaited = iter(self._subscription)
        self._all_lack = max(starts.values())  # after this position, no partition has the rows already
        self._starts = starts
        counts: dict[str, int] = {}
        for topic, _ in starts:
            counts[topic] = counts.get(topic, 0) + 1
        names = frozenset[str]().union(*carried.values())
        self._topics = {
            name: tuple((topic, counts[topic]) for topic, carries in carried.items() if name in carries) for name in names
        }

    def next(self) -> RowGroup | None:
        """Return the next rows, None if there are no more. Raises :class:`Unreadable` for an event that no topic carries."""
        if not self._unsent:
            self._take(self._log.since(self.read, ROWS))
        return self._group() if self._unsent else None

    def wait_for_next(self) -> RowGroup | None:
        """Wait for the next rows and return them, None if it was stopped. Raises what :meth:`next` raises."""
        if not self._unsent:
            self._subscription.position = self.read
            self._take(next(self._awaited, []))
        return self._group() if self._unsent else None

    def _take(self, rows: Sequence[Row]) -> None:
        self._unsent.extend(rows)
        if rows:
            self.read = rows[-1].position

    def _group(self) -> RowGroup:
        group, size, now = RowGroup(0), 0, int(time.time() * 1000)
        while self._unsent:
            row = self._unsent[0]
            value = to_record(row)
            size += len(value)
            if size > GROUP_BYTES and group.rows:
                break
            self._add(group, row, value, now)
            self._unsent.popleft()
        return group

    def _add(self, group: RowGroup, row: Row, value: bytes, now: int) -> None:
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
