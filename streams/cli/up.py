"""``regulars up``: a whole local cluster in one command, with a line of status while it runs."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import click
import redis
from rich.console import Group
from rich.live import Live
from rich.table import Table

from infra.errors import Fault
from infra.settings import from_environment
from streams.cli.console import ERR, grid
from streams.imports.complete_journey import SHOP
from streams.kafka.local_cluster import LocalCluster, local_cluster
from streams.running.positions import FoldPosition, fold_positions
from streams.running.processes import ManagedProcess

LOOK = 0.5  # seconds


@click.command()
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True)
@click.option("--weeks", type=click.IntRange(1, 53), help="Feed it so many weeks of Complete Journey.")
@click.option("--once", is_flag=True, help="Stop when all that was fed is in the read models.")
def up(workers: int, weeks: int | None, once: bool) -> None:
    """Start PostgreSQL, Kafka, Redis, a relay and workers, and keep them running until Ctrl-C."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with local_cluster(from_environment(), workers, SHOP if weeks else None, ERR.print) as cluster:
        feeding = None
        if weeks:
            feeding = cluster.processes.start("import", "import", "complete-journey", "--weeks", str(weeks), once=True)
        watch(cluster, feeding, once, stopped)
        ERR.print("stopping")
    if feeding and feeding.ended:
        raise click.ClickException(f"The import ended with status {feeding.ended}: {feeding.last_log_line()}")


def watch(cluster: LocalCluster, feeding: ManagedProcess | None, once: bool, stopped: threading.Event) -> None:
    """Show how things are until told to stop, or until there is no more to do and ``once``."""
    rates = Rates()
    with Live(console=ERR, auto_refresh=False, transient=True) as live:
        while not stopped.wait(LOOK):
            try:
                cluster.tend()
                found = fold_positions(cluster.app)
            except (Fault, redis.RedisError) as fault:
                live.update(str(fault), refresh=True)
                continue
            head = cluster.app.log.head()
            rates.note(head, sum(standing.position for standing in found) / len(found))
            live.update(Group(state(cluster), table(found, head, rates)), refresh=True)
            fed = feeding is None or feeding.ended is not None
            if once and fed and not any(standing.behind for standing in found):
                ERR.print(f"All {len(found)} folds are at {head:,}.")
                return


class Rates:
    """Events a second, over the last few seconds: into the log, and into the read models."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._noted: list[tuple[float, int, float]] = []

    def note(self, head: int, folded: float) -> None:
        now = time.monotonic()
        self._noted = [*(one for one in self._noted if now - one[0] < self._seconds), (now, head, folded)]

    @property
    def of_log(self) -> float:
        return self._rate(1)

    @property
    def of_views(self) -> float:
        return self._rate(2)

    def _rate(self, column: int) -> float:
        first, last = self._noted[0], self._noted[-1]
        return (last[column] - first[column]) / (last[0] - first[0]) if last[0] > first[0] else 0.0


def state(cluster: LocalCluster) -> str:
    return "  ".join(words(one) for one in cluster.processes.kept)


def words(one: ManagedProcess) -> str:
    if one.ended is not None:
        return f"[dim]{one.name} done[/dim]"
    again = f" (started {one.failures + 1} times)" if one.failures else ""
    return f"[green]{one.name}[/green]{again}" if one.running else f"[red]{one.name} is down[/red]: {one.last_log_line()[:80]}"


def table(found: list[FoldPosition], head: int, rates: Rates) -> Table:
    title = f"The log: {head:,} events, {rates.of_log:,.0f}/s; read models {rates.of_views:,.0f}/s; Ctrl-C stops it all"
    return grid(title, ("fold", "fed from", "position", "behind by"), lines(found), numbers=(2, 3))


def lines(found: list[FoldPosition]) -> Iterator[tuple[str, str, str, str]]:
    for standing in found:
        yield standing.fold, standing.source, f"{standing.position:,}", f"{standing.behind:,}"
