"""Folds followed in processes of their own, so that an import uses more than one core."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from aggregates.programme import Programme
from infra.settings import Settings
from models.learner import Learner
from streams.projecting.loaders import Fold, fold_name
from streams.registry import projections
from streams.running.app import App, running

PAUSE = 0.01  # seconds until a process that has every whole chunk looks again
LOOK = 0.1  # seconds between looks at how far processes have come

READ_MODELS, LEARNER = "read-models", "learner"

PARTS: dict[str, Callable[[Programme], Iterable[Fold]]] = {READ_MODELS: projections, LEARNER: lambda _: (Learner,)}
"""What a process has to itself. Folds do not read each other, so each part may go at its own pace."""


class FollowerProcess:
    """Follows the log for one of the :data:`PARTS`, and ends when this process does, however that ends.

    They are tied by a pipe, its standard input. What it has to say when it fails is in ``logs``, in the home.
    Raises :class:`OSError` if it cannot be started.
    """

    def __init__(self, settings: Settings, version: str, part: str) -> None:
        theirs, self._told = Pipe(duplex=False)
        with theirs, log_of(settings, part).open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from streams.running.follower_pool import follow_part; follow_part()"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the parent
            )
        self._tell((settings, version, part))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll()

    def finish(self) -> None:
        """Have it go to the head of the log, and end there."""
        self._tell(None)

    def wait(self, seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def end(self) -> None:
        """End it wherever it is, which loses nothing."""
        self._told.close()
        self._process.wait()

    def _tell(self, what: object) -> None:
        with suppress(OSError):  # it has ended
            self._told.send(what)


def log_of(settings: Settings, part: str) -> Path:
    folder = settings.home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{part}.log"


def follow_part() -> None:
    """What such a process does."""
    told = Connection(0, writable=False)
    settings, version, part = told.recv()
    finishing = threading.Event()
    threading.Thread(target=obey, args=(told, finishing), name="told", daemon=True).start()
    with running(settings) as app:
        follower = app.under(version).feeding(PARTS[part](app.terms))
        while not finishing.wait(PAUSE):
            follower.keep_up()
        follower.catch_up()


def obey(told: Connection, finishing: threading.Event) -> None:
    """To finish is the one thing that is ever told; the pipe's end says that nobody waits for us any more."""
    with suppress(EOFError):
        told.recv()
        finishing.set()
        told.recv()
    os._exit(1)


class FollowerPool:
    """A process for each part; without ``models``, the learner has none. Raises :class:`OSError` if one cannot be started."""

    def __init__(self, app: App, models: bool) -> None:
        parts = PARTS if models else (READ_MODELS,)
        self._views = app.views
        self._folds = [fold_name(fold) for part in parts for fold in PARTS[part](app.terms)]
        self._seen, self._looked = 0, -math.inf
        self.processes: list[FollowerProcess] = []
        try:
            for part in parts:
                self.processes.append(FollowerProcess(app.settings, app.views.version, part))
        except OSError:
            self.end()
            raise

    @property
    def at_work(self) -> bool:
        """Whether none has ended."""
        return all(process.status is None for process in self.processes)

    @property
    def failed(self) -> bool:
        return any(process.status for process in self.processes)

    def reached(self) -> int:
        """The position that every fold has reached in Redis, as of a moment ago."""
        if (now := time.monotonic()) - self._looked >= LOOK:
            self._seen, self._looked = min(self._views.positions(self._folds).values()), now
        return self._seen

    def finish(self, progress: Callable[[int], None]) -> None:
        """Have them go to the head of the log, and wait until all have ended; one that failed did not come so far."""
        for process in self.processes:
            process.finish()
        while unfinished := [process for process in self.processes if process.status is None]:
            unfinished[0].wait(LOOK)
            progress(self.reached())

    def end(self) -> None:
        for process in self.processes:
            process.end()
