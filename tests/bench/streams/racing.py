"""Contestants in turn over the same course, each a process of its own and each over an empty Redis; medians of all turns."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

import msgspec
import redis

from tests.bench.streams.course import Course, Finish
from tests.bench.streams.tallies import standing

FLOOR = "raw"
PATIENCE = 600.0  # seconds


@dataclass(frozen=True)
class Contestant:
    """``module``: of this package; run alone it takes the course and tells its finish."""

    module: str
    what: str
    writes: bool = True


CONTESTANTS = (
    Contestant(FLOOR, "aiokafka alone: drain, parse, count", writes=False),
    Contestant("ours", "Regulars: chunks, two folds, exactly once in Redis"),
    Contestant("bytewax_sink", "Bytewax 0.21, sink with the same script"),
    Contestant("quix_sink", "Quix Streams 3.28, sink with the same script"),
)


class Unequal(Exception):  # noqa: N818 - it says what is wrong
    """A contestant did not bring about what all others did."""


@dataclass(frozen=True)
class Times:
    """Medians: seconds over all records, and as shares of the floor's in the same turn (above 1: slower than that)."""

    wall: float
    cpu: float
    wall_ratio: float
    cpu_ratio: float


def race(
    course: Course, total: int, turns: int, contestants: Sequence[Contestant], said: Callable[[str], None]
) -> dict[str, Times]:
    """By module. ``total``: the sum of all amounts, which each must come to. Raises :class:`Unequal`."""
    finishes: dict[str, list[Finish]] = {contestant.module: [] for contestant in contestants}
    for turn in range(turns):
        for contestant in contestants:
            said(f"turn {turn + 1} of {turns}: {contestant.what}")
            found = run(replace(course, group=f"{course.topic}-{contestant.module}-{turn}"), contestant)
            if (found.records, found.total) != (course.records, total):
                raise Unequal(f"{contestant.what}: {found.records:,} records, {found.total:,} in all")
            finishes[contestant.module].append(found)
    floor = finishes[FLOOR]
    return {module: times(mine, floor) for module, mine in finishes.items()}


def run(course: Course, contestant: Contestant) -> Finish:
    """One contestant's run; what it wrote is read from Redis."""
    with redis.Redis.from_url(course.redis) as client, tempfile.TemporaryDirectory(prefix="regulars-bench-") as home:
        client.flushall()
        command = [sys.executable, "-m", f"tests.bench.streams.{contestant.module}", replace(course, home=home).pack()]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if ended.returncode:
            raise RuntimeError(f"{contestant.what} failed: {ended.stderr[:3000]}")
        told = msgspec.json.decode(told_line(ended.stdout), type=Finish)
        if not contestant.writes:
            return told
        records, total = standing(client)
        return replace(told, records=records, total=total)


def times(mine: Sequence[Finish], floor: Sequence[Finish]) -> Times:
    pairs = list(zip(mine, floor, strict=True))
    return Times(
        median(finish.wall for finish in mine),
        median(finish.cpu for finish in mine),
        median(finish.wall / least.wall for finish, least in pairs),
        median(finish.cpu / least.cpu for finish, least in pairs),
    )


def rows(raced: dict[str, Times], records: int, contestants: Sequence[Contestant]) -> Iterator[tuple[str, ...]]:
    """What of the floor's rate each comes to, by processor time and by the clock, and what ours must come to."""
    for contestant in contestants:
        its = raced[contestant.module]
        yield (
            contestant.what,
            f"{records / its.wall:,.0f}",
            f"{its.cpu / records * 1e6:.2f}",
            f"{1 / its.cpu_ratio:.2f}",
            f"{1 / its.wall_ratio:.2f}",
        )


def told_line(output: str) -> str:
    """The finish among whatever else a contestant's framework printed."""
    return next(line for line in output.splitlines() if line.startswith('{"records"'))
