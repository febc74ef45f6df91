"""``make chaos``: every act ten times over, in a table. An hour long."""

from __future__ import annotations

import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from streams.cli.console import ERR, OUT, grid
from tests.cluster.acts import ACTS, hurt
from tests.cluster.harness import Cluster, Embedded

COLUMNS = ("act", "times", "digests equal", "seconds, the longest")


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--weeks", type=int, default=2)
    parser.add_argument("--act", action="append", choices=[*ACTS], help="one of the acts; all of them if none is named")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="regulars-chaos-") as folder:
        expected = Embedded(Path(folder) / "embedded").digest(asked.weeks)
        cluster = Cluster(Path(folder) / "home")
        try:
            cluster.feed(asked.weeks)
            rows = [tried(cluster, act, asked.times, expected) for act in asked.act or ACTS]
        finally:
            cluster.close()
    OUT.print(grid(f"Hurt in mid-stream, {asked.weeks} weeks, 2 workers", COLUMNS, rows, numbers=(1, 2, 3)))
    sys.exit(any(row[1] != row[2] for row in rows))


def tried(cluster: Cluster, act: str, times: int, expected: object) -> tuple[str, str, str, str]:
    equal, longest = 0, 0.0
    for time_ in range(times):
        begun = time.monotonic()
        try:
            hurt(cluster, act)
            same = cluster.digest() == expected
        except AssertionError as fault:
            ERR.print(f"{act}: {fault}")
            same = False
        longest = max(longest, time.monotonic() - begun)
        equal += same
        ERR.print(f"{act} {time_ + 1} of {times}: {'equal' if same else 'DIFFERENT'}, {time.monotonic() - begun:.0f} s")
    return act.replace("_", " "), str(times), str(equal), f"{longest:.0f}"


if __name__ == "__main__":
    main()
