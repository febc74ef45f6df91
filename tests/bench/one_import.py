"""Import the first weeks of the journey, log and views, and say what it took as JSON: run by ``trees``, on any tree's code."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.cli.import_ import import_complete_journey
from streams.imports.complete_journey import SHOP
from streams.running.app import running


def main(weeks: int) -> None:
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        settings = Settings(Path(folder))
        try:
            with running(settings, SHOP) as app:
                wall, cpu = time.perf_counter(), processors()
                imported = import_complete_journey(app, weeks, models=False, quiet=True)
                wall, cpu = time.perf_counter() - wall, processors() - cpu
                used = app.views.client.info("cpu")
                redis = used["used_cpu_user"] + used["used_cpu_sys"]
                print(json.dumps({"events": imported.events, "wall": wall, "cpu": cpu, "redis": redis}))
        finally:
            EmbeddedRedis(settings.valkey).stop()


def processors() -> float:
    """Seconds of processor time, with those of children that have ended."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main(int(sys.argv[1]))
