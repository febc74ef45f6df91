"""``python -m tests.bench.replay [WEEKS]``: what replaying the read models costs over reading and decoding the same rows.

All but the learner, over some weeks of Complete Journey. Ratios are of CPU seconds in one run, each the median of some turns;
that of two processes is of seconds by the clock, and means something on two free cores and a log of some months only.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import redis
from rich.console import Console

from infra.embedded.valkey import EmbeddedRedis
from infra.redis.generations import Generations
from infra.redis.loading import KeyLoader
from infra.settings import CHUNK, Settings
from streams.cli.console import grid
from streams.cli.import_ import import_complete_journey
from streams.imports.complete_journey import SHOP
from streams.projecting.loaders import Fold
from streams.registry import EVENTS, projections
from streams.replay.rebuild.filling import Fill
from streams.replay.rebuild.leases import leased
from streams.replay.rebuild.old_versions import drop, droppable
from streams.replay.rebuild.version import VersionRebuild
from streams.running.app import App, running

WEEKS = 4
TURNS = 3
ALL_NAMES = frozenset(name for kind in EVENTS.values() for name in kind.stored_names)


def cpu_of(server: redis.Redis) -> float:
    """Return the CPU seconds that a Redis has used."""
    used = server.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def measured(app: App, work: Callable[[], object]) -> tuple[float, float]:
    """Return the CPU seconds of this process and of Redis that some work takes."""
    own, server = time.process_time(), cpu_of(app.views.client)
    work()
    return time.process_time() - own, cpu_of(app.views.client) - server


def read(app: App) -> None:
    position, head = 0, app.log.head()
    while position < head:
        _, position = app.log.recorded_of(position, CHUNK, ALL_NAMES)


def filled(app: App, folds: list[Fold]) -> Fill:
    fill = Fill(app.log, folds, app.terms.zone)
    fill.fold_to(app.log.head())
    return fill


def replayed(app: App, folds: list[Fold], version: str) -> None:
    generations = Generations(app.views.client)
    with leased(generations, [fold.name for fold in folds]):
        filled(app, folds).load(KeyLoader(app.views.client, version, folds[0].name, generations.owner))


def followed(app: App, version: str) -> None:
    app.under(version).follower(models=False).catch_up()


def rebuilt(app: App, folds: list[Fold], processes: int) -> float:
    """Return the seconds by the clock that a whole rebuild takes, and remove the version before it."""
    begun = time.perf_counter()
    VersionRebuild(app, folds, processes=processes).run()
    seconds = time.perf_counter() - begun
    drop(app, droppable(app, folds, unfinished=False))
    return seconds


def rows_of(app: App) -> Iterator[tuple[str, ...]]:
    folds: list[Fold] = list(projections(app.terms))
    turns = [
        (
            measured(app, lambda: read(app)),
            measured(app, lambda: filled(app, folds)),
            measured(app, lambda: replayed(app, folds, f"replay{turn}")),  # noqa: B023 - called at once
            measured(app, lambda: followed(app, f"follow{turn}")),  # noqa: B023
        )
        for turn in range(TURNS)
    ]

    def ratio(of: Callable[..., float]) -> str:
        return f"{median(of(*turn) for turn in turns):.2f}"

    yield "in memory ÷ reading and decoding", ratio(lambda r, m, p, f: m[0] / r[0]), "≤ 2.2"
    yield "into Redis ÷ reading and decoding", ratio(lambda r, m, p, f: p[0] / r[0]), "≤ 3"
    yield "Redis's CPU ÷ that of following", ratio(lambda r, m, p, f: p[1] / f[1]), "≤ 0.2"
    yield "following ÷ reading and decoding", ratio(lambda r, m, p, f: f[0] / r[0]), "≤ 10"
    app.follower(models=False).catch_up()
    walls = [(rebuilt(app, folds, 1), rebuilt(app, folds, 2)) for _ in range(TURNS)]
    yield "a rebuild with one process ÷ with two, by the clock", f"{median(one / two for one, two in walls):.2f}", "≥ 1.5"
    alone = {fold.name: measured(app, lambda: filled(app, [fold]))[0] for fold in folds}  # noqa: B023
    whole = median(turn[0][0] for turn in turns)
    for name, seconds in sorted(alone.items(), key=lambda item: -item[1]):
        yield f"{name} alone in memory ÷ reading all", f"{seconds / whole:.2f}", ""


def main() -> None:
    weeks = int(sys.argv[1]) if len(sys.argv) > 1 else WEEKS
    out = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        settings = Settings(Path(folder))
        try:
            with running(settings, SHOP) as app:
                import_complete_journey(app, weeks, models=False, quiet=True)
                out.print(grid(f"Replay of {app.log.head():,} events", ("what", "ratio", "goal"), rows_of(app)))
        finally:
            EmbeddedRedis(settings.valkey).stop()


if __name__ == "__main__":
    main()
