"""Folds in processes of their own beside an import, so that it uses more than one core."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection

import redis

from aggregates.programme import Programme
from infra.faults import Fault
from infra.settings import Settings
from models.learner import Learner
from streams.bootstrap import App, running
from streams.feeds import Fold, fold_name
from streams.registry import projections

PAUSE = 0.01  # seconds until a process that has every whole chunk looks again
LOOK = 0.1  # seconds between looks at how far processes have come

READ_MODELS, LEARNER = "read models", "learner"

PARTS: dict[str, Callable[[Programme], Iterable[Fold]]] = {READ_MODELS: projections, LEARNER: lambda _: (Learner,)}
"""What a process has to itself. Folds do not read each other, so each part may go at its own pace."""

SPAWN = multiprocessing.get_context("spawn")  # a fork would share our connections


class Beside:
    """Follows the log for one of the :data:`PARTS`, and ends when this process does, however that ends."""

    def __init__(self, settings: Settings, version: str, part: str) -> None:
        theirs, self._told = SPAWN.Pipe(duplex=False)
        self._process = SPAWN.Process(target=follow, args=(settings, version, part, theirs), name=part, daemon=True)
        self._process.start()
        theirs.close()

    @property
    def ended(self) -> bool:
        return self._process.exitcode is not None

    def finish(self) -> None:
        """Have it go to the head of the log, and end there."""
        with suppress(OSError):  # it has ended
            self._told.send(None)

    def wait(self, seconds: float) -> None:
        self._process.join(seconds)

    def end(self) -> None:
        """End it wherever it is, which loses nothing."""
        self._told.close()
        self._process.join()


def follow(settings: Settings, version: str, part: str, told: Connection) -> None:
    """What such a process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us
    finishing = threading.Event()
    threading.Thread(target=listen, args=(told, finishing), name="told", daemon=True).start()
    try:
        with running(settings) as app:
            follower = app.under(version).feeding(PARTS[part](app.terms))
            while not finishing.wait(PAUSE):
                follower.keep_up()
            follower.catch_up()
    except (redis.RedisError, Fault):
        sys.exit(1)  # whoever started us meets it as well, and says so


def listen(told: Connection, finishing: threading.Event) -> None:
    try:
        told.recv()
    except EOFError:  # nobody is there any more
        os._exit(1)
    finishing.set()


class Processes:
    """One for each part; without ``models``, the learner has none."""

    def __init__(self, app: App, models: bool) -> None:
        parts = PARTS if models else (READ_MODELS,)
        self._views = app.views
        self._folds = [fold_name(fold) for part in parts for fold in PARTS[part](app.terms)]
        self._processes = [Beside(app.settings, app.views.version, part) for part in parts]
        self._seen, self._looked = 0, -math.inf

    @property
    def whole(self) -> bool:
        """Whether none has ended."""
        return not any(process.ended for process in self._processes)

    def reached(self) -> int:
        """The position that every fold has reached in Redis, as of a moment ago."""
        if (now := time.monotonic()) - self._looked >= LOOK:
            self._seen, self._looked = min(self._views.positions(self._folds).values()), now
        return self._seen

    def finish(self, progress: Callable[[int], None]) -> None:
        """Have them go to the head of the log, and wait until all have ended; one that failed did not come so far."""
        for process in self._processes:
            process.finish()
        while running := [process for process in self._processes if not process.ended]:
            running[0].wait(LOOK)
            progress(self.reached())

    def end(self) -> None:
        for process in self._processes:
            process.end()
