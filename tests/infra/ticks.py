"""A log of ticks: the smallest event there is, to try the log's own promises.

Run as a program, it ticks from a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from aggregates.value import Value
from infra.codec import Codec, EventType
from infra.event_log.log import EventLog
from infra.event_log.postgres import PostgresLog
from infra.event_log.sqlite import SqliteLog
from infra.keys.ring import KeyRing
from infra.keys.stores import PostgresKeys, SqliteKeys

ROOT = Path(__file__).parents[2]


class Ticked(Value):
    product: str
    number: int


Place: TypeAlias = Path | str
"""A home, or the URL of a database."""


@contextmanager
def open_log(place: Place, *types: EventType) -> Iterator[EventLog]:
    """The log of a place; of ticks, if no other types are told."""
    with open_keys(place) as keys:
        codec = Codec(types or (EventType(Ticked),), keys)
        log = PostgresLog(place, codec) if isinstance(place, str) else SqliteLog(place / "events.db", codec)
        try:
            yield log
        finally:
            log.close()


@contextmanager
def open_keys(place: Place) -> Iterator[KeyRing]:
    keys = KeyRing(PostgresKeys(place) if isinstance(place, str) else SqliteKeys(place / "keys.db"))
    try:
        yield keys
    finally:
        keys.close()


def place_of(told: str) -> Place:
    return told if "://" in told else Path(told)


def tick(log: EventLog, product: str, times: int = 1) -> None:
    """Read how far the count is and count on, ``times`` in one append."""
    stream = f"product-{product}"
    with log.append() as append:
        _, version = append.read([stream])[stream]
        for number in range(version + 1, version + times + 1):
            append.add(stream, number, Ticked(product, number))


def ticking(place: Place, product: str, appends: int, times: int = 1) -> subprocess.Popen[bytes]:
    """Another process that ticks."""
    command = [sys.executable, "-m", "tests.infra.ticks", str(place), product, str(appends), str(times)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def main(place: str, product: str, appends: str, times: str) -> None:
    with open_log(place_of(place)) as log:
        for _ in range(int(appends)):
            tick(log, product, int(times))


if __name__ == "__main__":
    main(*sys.argv[1:])
