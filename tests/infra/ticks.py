"""A log of ticks: the smallest event there is, to try the log's own promises.

Run as a program, it ticks from a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.codec import Codec, EventType
from infra.event_log.sqlite import SqliteLog
from infra.keys import KeyRing

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ticked:
    product: str
    number: int


@contextmanager
def open_log(home: Path, *types: EventType) -> Iterator[SqliteLog]:
    """The log of a home; of ticks, if no other types are told."""
    keys = KeyRing(home / "keys.db")
    log = SqliteLog(home / "events.db", Codec(types or (EventType(Ticked),), keys))
    try:
        yield log
    finally:
        log.close()
        keys.close()


def tick(log: SqliteLog, product: str, times: int = 1) -> None:
    """Read how far the count is and count on, ``times`` in one append."""
    stream = f"product-{product}"
    with log.append() as append:
        _, version = append.read([stream])[stream]
        for number in range(version + 1, version + times + 1):
            append.add(stream, number, Ticked(product, number))


def ticking(home: Path, product: str, appends: int, times: int = 1) -> subprocess.Popen[bytes]:
    """Another process that ticks."""
    command = [sys.executable, "-m", "tests.infra.ticks", str(home), product, str(appends), str(times)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def main(home: str, product: str, appends: str, times: str) -> None:
    with open_log(Path(home)) as log:
        for _ in range(int(appends)):
            tick(log, product, int(times))


if __name__ == "__main__":
    main(*sys.argv[1:])
