"""What an import has the read models kept up by: a follower, which becomes several processes once there is much to follow."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from infra.settings import CHUNK
from streams.beside import Processes
from streams.bootstrap import App
from streams.follow import Follower, Workers

MANY = 10 * CHUNK
"""Events that cost about what the start of the processes does."""


class Followers:
    """Stands where one follower would: it is one for the first ``many`` events, then a process for each part.

    ``many``: None for what is best on this machine. If a process fails, it is one follower again, for good: what befell the
    process is over, or is met again and raised here.
    """

    def __init__(self, app: App, models: bool = True, many: float | None = None) -> None:
        self._app = app
        self._models = models
        self._many = many or (MANY if cores() > 1 else math.inf)
        self._now: Follower | Processes = app.follower(models)
        self._began = self._now.position

    def keep_up(self) -> int:
        """Have what came followed, without waiting for it; return the position that every fold has reached."""
        if isinstance(self._now, Processes) and self._now.whole:
            return self._now.reached()
        if isinstance(self._now, Processes):
            self._many = math.inf
        follower = self._alone()
        position = follower.keep_up()
        if position - self._began >= self._many:
            self._divide(follower)
        return position

    def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Have every fold go to the head of the log, and return it; ``progress`` hears how far they are.

        Raises :class:`Misconfigured` if Redis is ahead of the log, which then is not the one it was filled from.
        """
        if isinstance(self._now, Follower):
            self._now.refuse_older_log()
            if self._app.log.head() - self._now.position >= self._many:
                self._divide(self._now)
        if isinstance(self._now, Processes):
            self._now.finish(progress)
        return self._alone().catch_up(progress)

    def close(self) -> None:
        if isinstance(self._now, Processes):
            self._now.end()

    def _divide(self, follower: Follower) -> None:
        follower.dispatch.flush()
        self._now = Processes(self._app, self._models)

    def _alone(self) -> Follower:
        if isinstance(self._now, Processes):
            self._now.end()
            self._now = self._app.follower(self._models)
            self._began = self._now.position
        return self._now


@contextmanager
def keeping_up(app: App, models: bool = True) -> Iterator[Followers | Workers]:
    """Whatever keeps the read models of this system up, for as long as the block lasts."""
    if app.feed == "topics":
        yield Workers(app.log)
    else:
        with closing(Followers(app, models)) as followers:
            yield followers


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
