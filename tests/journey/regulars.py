"""Complete Journey imported: in this process, or by the real command in a process that may be killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.cli.import_ import Imported, import_complete_journey
from streams.imports.complete_journey import SHOP
from streams.running.app import App, running


@contextmanager
def imported_into(home: Path, weeks: int | None) -> Iterator[tuple[App, Imported]]:
    """Yield a system with the weeks (None: the year) imported. Its Redis is the home's own and ends with the block."""
    settings = Settings(home)
    try:
        with running(settings, SHOP) as app:
            yield app, import_complete_journey(app, weeks, quiet=True)
    finally:
        EmbeddedRedis(settings.valkey).stop()


@dataclass(frozen=True)
class Regulars:
    """The command ``regulars``, run in a process of its own."""

    home: Path

    def start(self, *words: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("REGULARS", "REDIS"))}
        return subprocess.Popen(
            [str(Path(sys.executable).parent / "regulars"), *words],
            env=environment | {"REGULARS_HOME": str(self.home), "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        """Return exit status, output and errors."""
        process = self.start(*words)
        out, err = process.communicate(timeout=3600)
        return process.returncode, out, err

    def json(self, *words: str) -> Any:
        status, out, err = self.run(*words, "--json")
        assert status == 0, err
        return json.loads(out)

    def log_size(self) -> int:
        log = self.home / "events.db-wal"
        return log.stat().st_size if log.exists() else 0


def import_with_kills(home: Path, weeks: int, kills: int, seconds: tuple[float, float], seed: int) -> tuple[Regulars, int]:
    """Import, with ``kills`` kills at random moments, each followed by a new start. Return how many kills hit it running.

    Every third kill also kills Redis, so that its last second may be lost.
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
    """Kill a process and wait until it is gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
        time.sleep(0.01)
