"""The embedded mode's follower: reads the log from where the folds are, and feeds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aggregates.kernel import Recorded
from infra.codec import Codec
from infra.event_log.shapes import Row
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

    def catch_up(self, progress: Callable[[int], None] = lambda _: None, whole_chunks: bool = False) -> int:
        """Feed the folds up to the head of the log and return the position reached.

        ``progress`` is told the position after each chunk. ``whole_chunks`` leaves a last part of a chunk for later.
        """
        while rows := self._log.since(self.position, CHUNK):
            if whole_chunks and len(rows) < CHUNK:
                break
            self._dispatch.dispatch(recorded(self._log.codec, rows))
            progress(self.position)
        return self.position

    def follow(self, stop: Callable[[], bool]) -> None:
        """Feed the folds as events come, until ``stop`` says so (asked after each chunk and while waiting)."""
        subscription = self._log.subscribe(self.position)
        for rows in subscription:
            self._dispatch.dispatch(recorded(self._log.codec, rows))
            if stop():
                subscription.stop()


def recorded(codec: Codec, rows: Sequence[Row]) -> list[Recorded]:
    decode = codec.decode
    return [Recorded(position, decode(name, state)) for position, _, _, name, state in rows]
