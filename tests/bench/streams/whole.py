"""The real registry on real history, without a goal: what the relay publishes, and what one worker makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from streams.imports.complete_journey import CompleteJourney
from streams.running.positions import fold_positions
from tests.bench.streams.completeness import checkpoints, wait
from tests.bench.streams.pipeline import Pipeline, pipeline
from tests.bench.streams.sampling import processor

TOGETHER = 128  # requests of one append
LOOK = 0.05  # seconds
PATIENCE = 1800.0  # seconds


@dataclass(frozen=True)
class Pace:
    """``events`` of the log that ``who`` was given, in so many seconds of the clock and of its processor."""

    who: str
    events: int
    seconds: float
    cpu: float


def whole(weeks: int) -> Iterator[Pace]:
    """The relay from an empty broker to the head of the log, then a worker from an empty Redis to the end of every topic.

    Timed from the first that is seen of each, so that starting is no part of it. Raises :class:`TimeoutError` if one does not
    come to the end, and :class:`RuntimeError` if anything lacks then.
    """
    with pipeline(started=()) as way:
        head = record(way, weeks)
        yield timed(way, "relay", head, lambda: relayed(way))
        yield timed(way, "worker", head, lambda: folded(way, head))
        if lacks := wait(way.app):
            raise RuntimeError("; ".join(lacks))


def record(way: Pipeline, weeks: int) -> int:
    """The log of some weeks of Complete Journey, and nothing else; its head."""
    requests = iter(CompleteJourney(weeks).requests())
    while group := list(islice(requests, TOGETHER)):
        way.app.handler.handle_all(group)
    return way.app.log.head()


def relayed(way: Pipeline) -> int:
    return min((entry.position for entry in way.app.log.relayed().values()), default=0)


def folded(way: Pipeline, head: int) -> int:
    """The head only when there is nothing that any fold has yet to take."""
    if way.app.feed != "topics":
        return 0
    behind = sum(standing.behind for standing in fold_positions(way.app))
    return max(0, min(head - 1, max(checkpoints(way.app).values()))) if behind else head


def timed(way: Pipeline, who: str, head: int, reached: Callable[[], int]) -> Pace:
    process, deadline = way.start(who), time.monotonic() + PATIENCE
    first: tuple[int, float, float] | None = None
    while (position := reached()) < head or first is None:
        now = time.monotonic()
        if now > deadline:
            raise TimeoutError(f"The {who} does not come to the end.")
        if position and first is None:
            first = position, now, processor(process)
        time.sleep(LOOK)
    position, begun, cpu = first
    return Pace(who, head - position, time.monotonic() - begun, processor(process) - cpu)
