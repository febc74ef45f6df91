"""What every contestant gets to run over: a topic of events at a broker, an empty Redis; and what it tells at the end.

A contestant is a process of its own. Its clocks begin when it has its first records in hand, so neither its start nor the
joining of a group counts, and end when the effects of the last record are in Redis.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import msgspec


@dataclass(frozen=True)
class Course:
    """``records``: in the topic, over ``partitions`` of it. ``group``: of this run alone. ``home``: a folder of its own."""

    bootstrap: str
    topic: str
    partitions: int
    records: int
    redis: str
    group: str
    home: str

    def pack(self) -> str:
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True)
class Finish:
    """``wall``, ``cpu``: seconds from the first record to the last. ``total``: the sum of all amounts, if it is told here."""

    records: int
    wall: float
    cpu: float
    total: int | None = None


def given() -> Course:
    """The course in this process's arguments."""
    return msgspec.json.decode(sys.argv[1], type=Course)


def tell(finish: Finish) -> None:
    print(msgspec.json.encode(finish).decode(), flush=True)


@dataclass
class Stopwatch:
    """Counts to ``records``. The processor time is the whole process's, all threads, user and system."""

    records: int
    counted: int = 0
    _begun: tuple[float, float] | None = field(default=None, repr=False)

    def begin(self) -> None:
        """Called with records in hand; the first call starts the clocks."""
        if self._begun is None:
            self._begun = time.perf_counter(), time.process_time()

    def count(self, records: int) -> Finish | None:
        """So many more are done; how it went, if they are the last."""
        self.counted += records
        if self.counted < self.records or self._begun is None:
            return None
        wall, cpu = self._begun
        return Finish(self.counted, time.perf_counter() - wall, time.process_time() - cpu)
