"""``python -m tests.bench.rebuilding [WEEKS]``: how a rebuild slows the live path, from an event to its document in Redis.

A follower takes 200 events/s from a process of their own, before a rebuild of every fold and during it. A probe changes a
profile every 50 ms, and waits until the card in Redis has that event. The ratio of the two p99 is the figure.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

from rich.console import Console

from aggregates.member import ChangeProfile, RegisterMember
from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.cli.console import grid
from streams.cli.import_ import import_complete_journey
from streams.commands.request import Request
from streams.imports.complete_journey import SHOP, CompleteJourney
from streams.running.app import App, running

WEEKS = 4
RATE = 200  # events a second
PROBED_EVERY = 0.05
LOOK = 0.0005
QUIET = 20.0  # seconds before the rebuild
AT = 1_600_000_000_000  # later than all that the load does
PROBE = "probe"


def load(settings: Settings, weeks: int) -> None:
    """Have further weeks happen, at :data:`RATE`, until this process is ended."""
    with running(settings) as app:
        begun, known = time.monotonic(), app.log.head()
        for request in CompleteJourney(weeks).requests():
            app.handler.handle(request)
            time.sleep(max(0.0, (app.log.head() - known) / RATE - (time.monotonic() - begun)))


def regulars(settings: Settings, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from streams.cli.main import main; main()", *words]
    environment = {**os.environ, "REGULARS_HOME": str(settings.home)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@contextmanager
def live(settings: Settings, weeks: int) -> Iterator[None]:
    """A follower and the load, each in a process."""
    follower = regulars(settings, "follow")
    loading = multiprocessing.get_context("spawn").Process(target=load, args=(settings, weeks), daemon=True)
    loading.start()
    try:
        yield
    finally:
        loading.terminate()
        loading.join()
        follower.terminate()
        follower.communicate(timeout=30)


def latencies(app: App, more: Callable[[], bool], numbers: Iterator[int]) -> list[float]:
    """Return the milliseconds from each probe's event in the log to its card in Redis, while there is more to do."""
    found: list[float] = []
    while more():
        number = next(numbers)
        change = ChangeProfile(PROBE, AT + number, f"Name {number}", None)
        outcome = app.handler.handle(Request(f"probe-{number}", (change,)))
        begun = time.perf_counter()
        while position_of(app) < outcome.position:
            time.sleep(LOOK)
        found.append((time.perf_counter() - begun) * 1000)
        time.sleep(PROBED_EVERY)
    return found


def position_of(app: App) -> int:
    raw = app.refreshed().views.client.get(app.refreshed().views.key(f"card:{PROBE}"))
    return int(json.loads(raw)["position"]) if raw else 0


def rows_of(app: App, settings: Settings, weeks: int, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    numbers = iter(range(10**9))
    app.handler.handle(Request("probe", (RegisterMember(PROBE, AT, "Name", None),)))
    with live(settings, weeks * 4):
        latencies(app, until(time.monotonic() + 5), numbers)
        quiet = latencies(app, until(time.monotonic() + QUIET), numbers)
        rebuild = regulars(settings, "replay", "--all", *words)
        threading.Thread(target=rebuild.communicate, daemon=True).start()
        beside = latencies(app, lambda: rebuild.poll() is None, numbers)
    for what, some in (("quiet", quiet), ("beside a rebuild", beside)):
        p50, p99 = (quantiles(some, n=100)[number] for number in (49, 98))
        yield what, f"{len(some)}", f"{p50:.1f} ms", f"{p99:.1f} ms", ""
    ratio = quantiles(beside, n=100)[98] / quantiles(quiet, n=100)[98]
    yield "p99 beside ÷ quiet", "", "", f"{ratio:.2f}", "≤ 2"


def until(moment: float) -> Callable[[], bool]:
    return lambda: time.monotonic() < moment


def main() -> None:
    weeks = int(sys.argv[1]) if len(sys.argv) > 1 else WEEKS
    words = tuple(sys.argv[2:])
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        settings = Settings(Path(folder))
        try:
            with running(settings, SHOP) as app:
                import_complete_journey(app, weeks, quiet=True)
                title = f"From an event to its document, {RATE} events/s, {app.log.head():,} events before"
                rows = rows_of(app, settings, weeks, words)
                Console(highlight=False).print(grid(title, ("", "probes", "p50", "p99", "goal"), rows))
        finally:
            EmbeddedRedis(settings.valkey).stop()


if __name__ == "__main__":
    main()
