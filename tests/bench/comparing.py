"""Two ways to do one thing, timed in turn."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Compared:
    """``unit``: what the times are of. Times are seconds."""

    what: str
    floor: str
    unit: str
    floor_seconds: float
    seconds: float
    ratio: float
    goal: str

    def cells(self) -> tuple[str, ...]:
        times = (f"{seconds * 1e6:,.2f} µs/{self.unit}" for seconds in (self.floor_seconds, self.seconds))
        return (self.what, self.floor, *times, f"{self.ratio:.2f}", self.goal)


def compare(
    what: str,
    floor: str,
    unit: str,
    goal: str,
    bare: Callable[[int], object],
    ours: Callable[[int], object],
    units: int,
    rounds: int = 7,
) -> Compared:
    """Time ``bare(round)`` and ``ours(round)``, each doing ``units`` of the work, in turn; the first round warms up."""
    times = [(timed(bare, i) / units, timed(ours, i) / units) for i in range(rounds + 1)][1:]
    least, most = (median(column) for column in zip(*times, strict=True))
    return Compared(what, floor, unit, least, most, median(b / a for a, b in times), goal)


def timed(work: Callable[[int], object], round_number: int) -> float:
    gc.collect()
    begun = time.perf_counter()
    work(round_number)
    return time.perf_counter() - begun
