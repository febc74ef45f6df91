"""The embedded mode's follower: reads the log from where the folds stand, and projects it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from aggregates.decider import Recorded
from infra.errors import Misconfigured, VersionsChanged
from infra.event_log.log import EventLog
from infra.redis.checkpoints import LOG
from infra.redis.views import Views
from infra.settings import CHUNK
from streams.projecting.dispatch import Dispatch
from streams.projecting.kept import KeptVersion, lowest_kept


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


class Followed(NamedTuple):
    """What a follower feeds: the served folds, and the versions beside them. ``whole``: whether no fold is left out."""

    served: Dispatch
    beside: Sequence[KeptVersion] = ()
    whole: bool = True


class Follower:
    """Feeds the served folds and the versions that are kept up beside them.

    ``opened``: opens both anew, as Redis says now; called again when other versions are served or kept up. ``complete``:
    whether it feeds every fold there is. If not, it completes no erasure.
    """

    def __init__(self, log: EventLog, opened: Callable[[], Followed], complete: bool = True) -> None:
        self._log = log
        self._opened = opened
        self._complete = complete
        self.dispatch, self.beside, self._whole = opened()

    @property
    def position(self) -> int:
        return self.dispatch.position

    @property
    def completes_erasures(self) -> bool:
        return self._complete and self._whole

    def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Project the log up to its head and return the position reached; call ``progress`` with it after each chunk.

        Raises what :meth:`refuse_older_log` does.
        """
        self.refuse_older_log()
        while True:
            try:
                for version in self.beside:
                    version.catch_up(self._log, self.position)
                while chunk := self._log.recorded(self.position, CHUNK):
                    self._send(chunk)
                    progress(self.position)
                self.dispatch.flush()
                break
            except VersionsChanged:
                self._open_again()
        self._complete_erasures()
        return self.position

    def refuse_older_log(self) -> None:
        """Raise :class:`Misconfigured` if Redis is ahead of the log, which then is not the one it was filled from."""
        try:
            furthest = self.dispatch.furthest
        except VersionsChanged:
            self._open_again()
            furthest = self.dispatch.furthest
        if furthest > (head := self._log.head()):
            raise Misconfigured(
                f"The read models stand at {furthest:,}, the log ends at {head:,}: an older log was restored. "
                "Restore the newer one, or empty this Redis and run `regulars follow --once`."
            )

    def keep_up(self) -> int:
        """Project all whole chunks that the log has, without waiting for Redis, and return the position reached."""
        head = self._log.head()
        while True:
            try:
                while head - self.position >= CHUNK:
                    self._send(self._log.recorded(self.position, CHUNK))
                return self.position
            except VersionsChanged:
                self._open_again()

    def follow(self, stopped: threading.Event) -> None:
        """Project events as they come, until ``stopped`` is set."""
        for chunk in self._log.subscribe(self.catch_up(), stopped):
            try:
                self._send(chunk)
                self.dispatch.flush()
            except VersionsChanged:
                self._open_again()
                self.catch_up()
            self._complete_erasures()

    def _send(self, chunk: Sequence[Recorded]) -> None:
        """Project a chunk into the served versions first: so who reads the new one after the old one sees no less."""
        self.dispatch.send(chunk)
        if self.beside:
            self.dispatch.flush()
            for version in self.beside:
                version.take(chunk)

    def _open_again(self) -> None:
        self.dispatch, self.beside, self._whole = self._opened()

    def _complete_erasures(self) -> None:
        if self.completes_erasures:
            complete_erasures(self._log, self.dispatch.views, self.position)


def complete_erasures(log: EventLog, views: Views, position: int, source: str = LOG) -> None:
    """Complete the erasures up to ``position``, which every served fold has passed, once every kept version has as well.

    If Redis is busy, the next call tries again. If the member had sessions, the event right after the erasure makes the folds
    forget what was done in them.
    """
    at_head = position >= log.head()
    reached = [erased for erased in log.incomplete_erasures().values() if erased < position or at_head]
    if not reached:
        return
    if (kept := lowest_kept(views, source)) is not None and kept < position:
        reached = [erased for erased in reached if erased < kept]
    if reached and views.rewrite_file():
        log.erased_everywhere(max(reached))
