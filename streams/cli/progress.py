"""How far long work has come: bars on a terminal, else a plain line on standard error every ten seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from infra.printable import printable
from streams.cli.console import ERR, say
from streams.running.app import App

EVERY = 10.0  # seconds between two plain lines


@dataclass
class Task:
    """A part of the work. ``total``: None as long as it is not known. ``amount``: what is done, in words."""

    what: str
    completed: float = 0
    total: float | None = None
    amount: str = ""
    bar: TaskID | None = None

    def line(self) -> str:
        """
        >>> Task("log", 1500, 6000).line(), Task("log", 1500, amount="1,500 events").line()
        ('log: 1,500 of 6,000 (25 %)', 'log: 1,500 events')
        """
        share = f" ({self.completed / self.total:.0%})".replace("%", " %") if self.total else ""
        of = f" of {self.total:,.0f}" if self.total else ""
        return f"{self.what}: {self.amount or f'{self.completed:,.0f}{of}'}{share}"


@dataclass
class ProgressWriter:
    """Tasks and what they have come to; any thread may update them."""

    tasks: list[Task] = field(default_factory=list)
    bars: Progress | None = None

    def add(self, what: str, total: float | None = None) -> Task:
        task = Task(printable(what), total=total)
        if self.bars:
            task.bar = self.bars.add_task(task.what, total=total, amount="")
        self.tasks.append(task)
        return task

    def update(
        self, task: Task, completed: float, amount: str = "", total: float | None = None, what: str | None = None
    ) -> None:
        """Set how far a task has come; ``total`` and ``what`` stay as they are where they are not given."""
        task.completed, task.amount = completed, amount
        task.total, task.what = task.total if total is None else total, task.what if what is None else what
        if self.bars and task.bar is not None:
            self.bars.update(task.bar, completed=completed, total=task.total, amount=amount, description=task.what)

    def write(self) -> None:
        """Print a plain line about all tasks that have begun."""
        begun = [task.line() for task in self.tasks if task.completed or task.amount]
        say(f"{time.strftime('%H:%M:%S')} {'; '.join(begun) or 'starting'}")


@contextmanager
def progress(transient: bool = False, quiet: bool = False) -> Iterator[ProgressWriter]:
    """Show the tasks that are added inside the block. ``transient``: bars are removed at its end. ``quiet``: show nothing."""
    if quiet:
        yield ProgressWriter()
        return
    if ERR.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[amount]}"))
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=ERR, transient=transient) as bars:
            yield ProgressWriter(bars=bars)
        return
    writer, ended = ProgressWriter(), threading.Event()
    beside = threading.Thread(target=_write_until, args=(writer, ended), name="progress", daemon=True)
    beside.start()
    try:
        yield writer
    finally:
        ended.set()
        beside.join()


def _write_until(writer: ProgressWriter, ended: threading.Event) -> None:
    while not ended.wait(EVERY):
        writer.write()


class ImportProgress:
    """The two tasks of an import: how much of its source is in the log, and how much of the log is in the read models.

    ``total``: how much of the source there is, None if that is not known.
    """

    def __init__(self, app: App, writer: ProgressWriter, what: str, total: int | None) -> None:
        self._app = app
        self._writer = writer
        self._source = writer.add(what, total=total)
        self._models = writer.add("read models" if app.feed == "log" else "log")
        self._before, self._begun = app.log.head(), time.monotonic()
        self._first: int | None = None  # where the read models were

    def begin(self, position: int) -> None:
        """Count and time from now on, with the read models at a position."""
        self._before, self._begun, self._first = self._app.log.head(), time.monotonic(), position

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    @property
    def events(self) -> int:
        """Return how many events came into the log meanwhile."""
        return self._app.log.head() - self._before

    def read(self, completed: int, amount: str) -> None:
        """Set how much of the source is in the log."""
        self._writer.update(self._source, completed, amount)

    def followed(self, position: int) -> None:
        """Set the position up to which the read models have everything; where workers fold, that of the log itself."""
        if self._first is None:
            self._first = position
        head, done = self._app.log.head(), position - self._first
        rate = done / self.seconds if done else 0.0
        amount = f"{position:,} of {head:,} events, {rate:,.0f}/s"
        self._writer.update(self._models, done, amount, total=head - self._first)


@contextmanager
def import_progress(app: App, what: str, total: int | None, quiet: bool = False) -> Iterator[ImportProgress]:
    """Show an import until the end of the block."""
    with progress(quiet=quiet) as writer:
        yield ImportProgress(app, writer, what, total)
