"""The embedded mode's follower: reads the log from where the folds stand, and projects it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from infra.errors import Amended, Misconfigured
from infra.event_log.log import EventLog
from infra.redis.views import Views
from infra.settings import CHUNK
from streams.projecting.dispatch import Dispatch


class ExternalWorkers:
    """Takes a follower's place where workers keep the read models up: it has nothing to do."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> int:
        position = self.keep_up()
        progress(position)
        return position

    def keep_up(self) -> int:
        return self._log.head()


class Follower:
    """``complete``: whether it feeds every fold there is. If not, it completes no erasure."""

    def __init__(self, log: EventLog, dispatch: Dispatch, complete: bool = True) -> None:
        self._log = log
        self._complete = complete
        self.dispatch = dispatch

    @property
    def position(self) -> int:
        return self.dispatch.position

    def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Project the log up to its head and return the position reached; call ``progress`` with it after each chunk.

        Raises what :meth:`refuse_older_log` does.
        """
        self.refuse_older_log()
        while True:
            try:
                while chunk := self._log.recorded(self.position, CHUNK):
                    self.dispatch.send(chunk)
                    progress(self.position)
                self.dispatch.flush()
                break
            except Amended:  # a repair: what is in memory was dropped, and is read again
                continue
        self._complete_erasures()
        return self.position

    def refuse_older_log(self) -> None:
        """Raise :class:`Misconfigured` if Redis is ahead of the log, which then is not the one it was filled from."""
        if self.dispatch.furthest > (head := self._log.head()):
            raise Misconfigured(
                f"The read models stand at {self.dispatch.furthest:,}, the log ends at {head:,}: an older log was restored. "
                "Restore the newer one, or empty this Redis and run `regulars follow --once`."
            )

    def keep_up(self) -> int:
        """Project all whole chunks that the log has, without waiting for Redis, and return the position reached."""
        head = self._log.head()
        while head - self.position >= CHUNK:
            self.dispatch.send(self._log.recorded(self.position, CHUNK))
        return self.position

    def follow(self, stopped: threading.Event) -> None:
        """Project events as they come, until ``stopped`` is set."""
        for chunk in self._log.subscribe(self.catch_up(), stopped):
            try:
                self.dispatch.dispatch(chunk)
            except Amended:
                self.catch_up()
            self._complete_erasures()

    def _complete_erasures(self) -> None:
        if self._complete:
            complete_erasures(self._log, self.dispatch.views, self.position)


def complete_erasures(log: EventLog, views: Views, position: int) -> None:
    """Complete the erasures up to ``position``, which every fold has passed. Try again at the next call if Redis is busy.

    If the member had sessions, the event right after the erasure makes the folds forget what was done in them.
    """
    at_head = position >= log.head()
    reached = [erased for erased in log.incomplete_erasures().values() if erased < position or at_head]
    if reached and views.rewrite_file():
        log.erased_everywhere(max(reached))
