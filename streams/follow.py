"""The embedded mode's follower: reads the log from where the folds are, and feeds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aggregates.kernel import Recorded
from infra.event_log.sqlite import SqliteLog
from infra.settings import CHUNK
from streams.dispatch import Dispatch


class Follower:
    def __init__(self, log: SqliteLog, dispatch: Dispatch) -> None:
        self._log = log
        self._dispatch = dispatch

    @property
    def position(self) -> int:
        return self._dispatch.position

    def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Feed the folds up to the head of the log and return the position reached; ``progress`` hears of each chunk."""
        while chunk := self._log.recorded(self.position, CHUNK):
            self.feed(chunk)
            progress(self.position)
        self._dispatch.flush()
        return self.position

    def feed(self, chunk: Sequence[Recorded]) -> None:
        """Feed the folds one chunk, read elsewhere; it is on its way when this returns."""
        self._dispatch.dispatch(chunk)

    def follow(self, stop: Callable[[], bool]) -> None:
        """Feed the folds as events come, until ``stop`` says so (asked after each chunk)."""
        subscription = self._log.subscribe(self.position)
        for chunk in subscription:
            self.feed(chunk)
            self._dispatch.flush()
            if stop():
                subscription.stop()
