"""Keep read models current during an import, in parallel processes when the backlog is large."""

from __future__ import annotations

import math
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import BinaryIO

from aggregates.programme import Programme
from infra.settings import CHUNK
from models.learner import Learner
from streams.projecting.follower import ExternalWorkers, Follower
from streams.projecting.loaders import Fold, fold_name
from streams.registry import projections
from streams.running.app import App, running
from streams.running.processes import ManagedProcess

DIVIDE_AT = 10 * CHUNK
"""Events whose folding costs about as much as starting the processes."""

PAUSE = 0.01  # seconds until a process without a whole chunk looks again
LOOK = 0.1  # seconds between reads of how far the processes are

READ_MODELS, LEARNER = "read-models", "learner"

PARTS: dict[str, Callable[[Programme], Iterable[Fold]]] = {READ_MODELS: projections, LEARNER: lambda _: (Learner,)}
"""The folds of each process. Folds do not read each other, so each part can go at its own speed."""

FOLLOW_PART = "from streams.running.parallel_follower import follow_part; follow_part()"


class ParallelFollower:
    """One follower for the first ``divide_at`` events, then a process for each part.

    ``divide_at``: None for what is best on this machine. If a process fails or cannot be started, this stays one follower from
    then on: it either gets past the failure or raises it here.
    """

    def __init__(self, app: App, models: bool = True, divide_at: float | None = None) -> None:
        self._app = app
        self._models = models
        self._divide_at = divide_at or (DIVIDE_AT if cores() > 1 else math.inf)
        self.current: Follower | FollowerPool = app.follower(models)
        self._began = self.current.position

    def keep_up(self) -> int:
        """Have new events folded without waiting for it, and return the position that every fold has reached."""
        if isinstance(self.current, FollowerPool) and self.current.at_work:
            return self.current.reached()
        follower = self._single()
        position = follower.keep_up()
        if position - self._began >= self._divide_at:
            self._divide(follower)
        return position

    def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Bring every fold to the head of the log, and return it. ``progress`` gets the position reached, first and last too.

        Raises :class:`Misconfigured` if Redis is ahead of the log, so that it was filled from another one.
        """
        if isinstance(self.current, Follower):
            self.current.refuse_older_log()
            progress(self.current.position)
            if self._app.log.head() - self.current.position >= self._divide_at:
                self._divide(self.current)
        if isinstance(self.current, FollowerPool):
            self.current.finish(progress)
        self._began = self._single().catch_up(progress)
        progress(self._began)
        return self._began

    def close(self) -> None:
        """End the processes."""
        if isinstance(self.current, FollowerPool):
            self.current.end()

    def _divide(self, follower: Follower) -> None:
        follower.dispatch.flush()
        try:
            self.current = FollowerPool(self._app, self._models)
        except OSError:
            self._divide_at = math.inf

    def _single(self) -> Follower:
        if isinstance(self.current, FollowerPool):
            if self.current.failed:
                self._divide_at = math.inf
            self.current.end()
            self.current = self._app.follower(self._models)
        return self.current


@contextmanager
def open_follower(app: App, models: bool = True) -> Iterator[ParallelFollower | ExternalWorkers]:
    """Open what keeps the read models of this system current: a follower of the log, or the workers of the topics."""
    if app.feed == "topics":
        yield ExternalWorkers(app.log)
    else:
        with closing(ParallelFollower(app, models)) as follower:
            yield follower


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class FollowerPool:
    """A process for each part; none for the learner without ``models``. Raises :class:`OSError` if one cannot be started."""

    def __init__(self, app: App, models: bool) -> None:
        parts = PARTS if models else (READ_MODELS,)
        self._views = app.views
        self._folds = [fold_name(fold) for part in parts for fold in PARTS[part](app.terms)]
        self._seen, self._looked = 0, -math.inf
        self.processes: list[ManagedProcess] = []
        try:
            for part in parts:
                self.processes.append(start_follower(app, part))
        except OSError:
            self.end()
            raise

    @property
    def at_work(self) -> bool:
        """Whether all processes are running."""
        return all(process.running for process in self.processes)

    @property
    def failed(self) -> bool:
        """Whether a process has ended with an error."""
        return any(process.status for process in self.processes)

    def reached(self) -> int:
        """Return the position that every fold has reached in Redis, as of a moment ago."""
        if (now := time.monotonic()) - self._looked >= LOOK:
            self._seen, self._looked = min(self._views.refreshed().positions(self._folds).values()), now
        return self._seen

    def finish(self, progress: Callable[[int], None]) -> None:
        """Have the processes go to the head of the log, and wait until all have ended. One that failed did not get there."""
        for process in self.processes:
            process.send("finish")
        while unfinished := [process for process in self.processes if process.running]:
            unfinished[0].wait(LOOK)
            progress(self.reached())

    def end(self) -> None:
        """End the processes wherever they are, which loses nothing."""
        for process in self.processes:
            process.release()
        for process in self.processes:
            process.wait()


def start_follower(app: App, part: str) -> ManagedProcess:
    """Start a process that follows the log for one of the :data:`PARTS`; its errors go to a file in the home's ``logs``."""
    made = ManagedProcess(part, app.settings.home / "logs" / f"{part}.log", FOLLOW_PART)
    made.start(fresh_log=True)
    made.send((app.settings, app.views.fixed, part))
    return made


def follow_part() -> None:
    """Follow the log for one part: what :func:`start_follower` runs."""
    messages = sys.stdin.buffer
    settings, version, part = pickle.load(messages)  # noqa: S301 - from our parent
    finishing = threading.Event()
    threading.Thread(target=obey, args=(messages, finishing), name="messages", daemon=True).start()
    with running(settings) as app:
        follower = (app.under(version) if version else app).feeding(PARTS[part](app.terms))
        while not finishing.wait(PAUSE):
            follower.keep_up()
        follower.catch_up()


def obey(messages: BinaryIO, finishing: threading.Event) -> None:
    """Set ``finishing`` at the one message there is. Exit at once when the pipe ends: the parent is gone or has released us."""
    with suppress(EOFError):
        pickle.load(messages)  # noqa: S301 - from our parent
        finishing.set()
        pickle.load(messages)  # noqa: S301 - from our parent
    os._exit(1)
