"""What an import has the read models kept up by: a follower, which becomes several processes once there is much to follow."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from infra.settings import CHUNK
from streams.projecting.follower import ExternalWorkers, Follower
from streams.running.app import App
from streams.running.follower_pool import FollowerPool

MANY = 10 * CHUNK
"""Events that cost about what the start of the processes does."""


class ElasticFollower:
    """Stands where one follower would: it is one for the first ``many`` events, then a process for each part.

    ``many``: None for what is best on this machine. If a process fails, or cannot be started, it is one follower again, for
    good: what befell the process is over, or is met again and raised here.
    """

    def __init__(self, app: App, models: bool = True, many: float | None = None) -> None:
        self._app = app
        self._models = models
        self._many = many or (MANY if cores() > 1 else math.inf)
        self.current: Follower | FollowerPool = app.follower(models)
        self._began = self.current.position

    def keep_up(self) -> int:
        """Have what came followed, without waiting for it; return the position that every fold has reached."""
        if isinstance(self.current, FollowerPool) and self.current.at_work:
            return self.current.reached()
        follower = self._alone()
        position = follower.keep_up()
        if position - self._began >= self._many:
            self._divide(follower)
        return position

    def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Have every fold go to the head of the log, and return it; ``progress`` hears how far they are, before and after, too.

        Raises :class:`Misconfigured` if Redis is ahead of the log, which then is not the one it was filled from.
        """
        if isinstance(self.current, Follower):
            self.current.refuse_older_log()
            progress(self.current.position)
            if self._app.log.head() - self.current.position >= self._many:
                self._divide(self.current)
        if isinstance(self.current, FollowerPool):
            self.current.finish(progress)
        self._began = self._alone().catch_up(progress)
        progress(self._began)
        return self._began

    def close(self) -> None:
        if isinstance(self.current, FollowerPool):
            self.current.end()

    def _divide(self, follower: Follower) -> None:
        follower.dispatch.flush()
        try:
            self.current = FollowerPool(self._app, self._models)
        except OSError:
            self._many = math.inf

    def _alone(self) -> Follower:
        if isinstance(self.current, FollowerPool):
            if self.current.failed:
                self._many = math.inf
            self.current.end()
            self.current = self._app.follower(self._models)
        return self.current


@contextmanager
def keeping_up(app: App, models: bool = True) -> Iterator[ElasticFollower | ExternalWorkers]:
    """Whatever keeps the read models of this system up, for as long as the block lasts."""
    if app.feed == "topics":
        yield ExternalWorkers(app.log)
    else:
        with closing(ElasticFollower(app, models)) as follower:
            yield follower


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
