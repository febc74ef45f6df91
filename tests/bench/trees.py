"""``python -m tests.bench.trees OTHER [WEEKS [TURNS]]``: what an import costs here over what it costs in another tree.

OTHER is a checkout of another commit (``git worktree add``). Runs take turns, each in a process of its own; the ratios of
processor time hold on a busy machine, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

PROGRAM = Path(__file__).with_name("one_import.py")
HERE = Path(__file__).parents[2]


def one(tree: Path, weeks: int) -> dict[str, float]:
    """Events, and seconds: of the wall, of Python's processor, of Redis's."""
    ran = subprocess.run(
        [sys.executable, "-P", str(PROGRAM), str(weeks)],
        env=os.environ | {"PYTHONPATH": str(tree)},
        cwd=tree,
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, float] = json.loads(ran.stdout)
    return told


def main(other: str, weeks: str = "4", turns: str = "3") -> None:
    pairs = []
    for turn in range(1, int(turns) + 1):
        pairs.append((one(Path(other), int(weeks)), one(HERE, int(weeks))))
        print(turn, *(" ".join(f"{name} {value:,.1f}" for name, value in told.items()) for told in pairs[-1]), sep=" | ")
    for what in ("wall", "cpu", "redis"):
        ratios = sorted(ours[what] / theirs[what] for theirs, ours in pairs)
        print(f"{what}: {median(ratios):.3f} times the other tree's ({ratios[0]:.3f} to {ratios[-1]:.3f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
