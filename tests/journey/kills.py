"""Killing an import, over and over, and finishing it."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from tests.journey.regulars import Regulars


def import_with_kills(home: Path, weeks: int, kills: int, seconds: tuple[float, float], seed: int) -> tuple[Regulars, int]:
    """An import that gets SIGKILL at ``kills`` random moments and is started again each time; how many hit it running.

    Every third kill takes Redis with it, so that its last second may be lost as well.
    """
    chance = random.Random(seed)
    regulars = Regulars(home)
    hit = 0
    for kill in range(kills):
        process = regulars.start("import", "complete-journey", "--weeks", str(weeks), "--json")
        time.sleep(chance.uniform(*seconds))
        if process.poll() is None:
            hit += 1
        process.send_signal(signal.SIGKILL)
        process.communicate()
        pid = home / "valkey" / "pid"
        if kill % 3 == 2 and pid.exists():
            sigkill(int(pid.read_text()))
    regulars.json("import", "complete-journey", "--weeks", str(weeks))
    return regulars, hit


def sigkill(pid: int) -> None:
    """SIGKILL, and wait until nothing of the process answers any more."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
        time.sleep(0.01)
