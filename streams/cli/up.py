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
from rich.text import Text

from infra.errors import Fault
from infra.settings import from_environment
from streams.cli.console import ERR, CommandFailed, Grid, grid, say
from streams.cli.progress import EVERY
from streams.imports.complete_journey import SHOP
from streams.kafka.local_cluster import LocalCluster, local_cluster
from streams.running.positions import FoldPosition, fold_positions
from streams.running.processes import ManagedProcess

PAUSE = 0.5  # seconds between two looks


@click.command()
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True, help="Processes that fold.")
@click.option("--weeks", type=click.IntRange(1, 53), help="Import so many weeks of Complete Journey.")
@click.option("--once", is_flag=True, help="Stop when all that was imported is in the read models.")
def up(workers: int, weeks: int | None, once: bool) -> None:
    """Start PostgreSQL, Kafka, Redis, a relay and workers, and keep them running until Ctrl-C."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with local_cluster(from_environment(), workers, SHOP if weeks else None, say) as cluster:
        feeding = None
        if weeks:
            feeding = cluster.processes.start("import", "import", "complete-journey", "--weeks", str(weeks), once=True)
        watch(cluster, feeding, once, stopped)
        say("stopping")
    if feeding and feeding.ended:
        raise CommandFailed(f"The import ended with status {feeding.ended}: {feeding.last_log_line()}")


def watch(cluster: LocalCluster, feeding: ManagedProcess | None, once: bool, stopped: threading.Event) -> None:
    """Show the state until ``stopped``, or with ``once`` until all that was imported is in the read models."""
    rates, status = Rates(), Status()
    with Live(console=ERR, auto_refresh=False, transient=True) as live:
        while not stopped.wait(PAUSE):
            try:
                cluster.tend()
                found = fold_positions(cluster.app)
            except (Fault, redis.RedisError) as fault:
                status.write(str(fault))
                live.update(Text(str(fault)), refresh=ERR.is_terminal)
                continue
            head = cluster.app.log.head()
            rates.note(head, sum(standing.position for standing in found) / len(found))
            status.report(cluster, found, head, rates)
            live.update(Group(process_line(cluster), fold_table(found, head, rates)), refresh=ERR.is_terminal)
            fed = feeding is None or feeding.ended is not None
            if once and fed and not any(standing.behind for standing in found):
                say(f"All {len(found)} folds are at {head:,}.")
                return


class Status:
    """Plain lines where standard error is no terminal: at once when a process starts, ends or fails, else every ten seconds."""

    def __init__(self) -> None:
        self._written = 0.0
        self._words = ""

    def report(self, cluster: LocalCluster, found: list[FoldPosition], head: int, rates: Rates) -> None:
        """Print the state of the processes if it changed, and the progress if it is time."""
        words = "; ".join(describe_process(one)[0] for one in cluster.processes.kept)
        if words != self._words and not ERR.is_terminal:
            say(words)
            self._words = words
        behind = max((standing.behind for standing in found), default=0)
        self.write(f"log: {head:,} events, {rates.of_log:,.0f}/s; slowest fold {behind:,} behind, {rates.of_views:,.0f}/s")

    def write(self, sentence: str) -> None:
        """Print a sentence if none was printed for ten seconds."""
        if not ERR.is_terminal and time.monotonic() - self._written >= EVERY:
            say(f"{time.strftime('%H:%M:%S')} {sentence}")
            self._written = time.monotonic()


class Rates:
    """Events a second over the last few seconds: into the log, and into the read models."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._noted: list[tuple[float, int, float]] = []

    def note(self, head: int, folded: float) -> None:
        """Remember where the log and the read models are now."""
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


def process_line(cluster: LocalCluster) -> Text:
    """Return the processes and how they are, in one line."""
    return Text("  ").join(Text(*describe_process(one)) for one in cluster.processes.kept)


def describe_process(one: ManagedProcess) -> tuple[str, str]:
    """Return how a process is in words, and the style to show them in."""
    if one.ended is not None:
        return f"{one.name} done", "dim"
    again = f" (started {one.failures + 1} times)" if one.failures else ""
    if one.running:
        return f"{one.name} runs{again}", "green"
    return f"{one.name} is down: {one.last_log_line()[:80]}", "red"


def fold_table(found: list[FoldPosition], head: int, rates: Rates) -> Grid:
    """Return a table of the folds with the rates in its title."""
    title = f"The log: {head:,} events, {rates.of_log:,.0f}/s; read models {rates.of_views:,.0f}/s; Ctrl-C stops it all"
    return grid(title, ("fold", "fed from", "position", "behind by"), fold_rows(found), numbers=(2, 3))


def fold_rows(found: list[FoldPosition]) -> Iterator[tuple[str, str, str, str]]:
    for standing in found:
        yield standing.fold, standing.source, f"{standing.position:,}", f"{standing.behind:,}"
