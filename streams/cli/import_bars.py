"""The two bars of an import: how much of its source is in the log, and how much of the log is in the read models."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from streams.running.app import App


class ImportBars:
    """``what``: the source; ``total``: how much of it there is, None if nobody knows."""

    def __init__(self, app: App, progress: Progress, what: str, total: int | None) -> None:
        self._app = app
        self._progress = progress
        self._source = progress.add_task(what, total=total, amount="")
        self._models = progress.add_task("read models" if app.feed == "log" else "log", total=None, amount="")
        self._before, self._begun = app.log.head(), time.monotonic()
        self._first: int | None = None  # where the read models were

    def begin(self, position: int) -> None:
        """What is counted and timed begins now, with the read models at a position."""
        self._before, self._begun, self._first = self._app.log.head(), time.monotonic(), position

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    @property
    def events(self) -> int:
        """Those that came into the log meanwhile."""
        return self._app.log.head() - self._before

    def read(self, completed: int, amount: str) -> None:
        self._progress.update(self._source, completed=completed, amount=amount)

    def followed(self, position: int) -> None:
        """The read models have all up to a position; or the log has, if it is workers who keep them up."""
        if self._first is None:
            self._first = position
        head, done = self._app.log.head(), position - self._first
        rate = done / self.seconds if done else 0.0
        amount = f"{position:,} of {head:,} events, {rate:,.0f}/s"
        self._progress.update(self._models, completed=done, total=head - self._first, amount=amount)


@contextmanager
def import_bars(app: App, console: Console, what: str, total: int | None) -> Iterator[ImportBars]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[amount]}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        yield ImportBars(app, progress, what, total)
