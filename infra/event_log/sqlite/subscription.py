"""Waiting for new rows in a SQLite log: the library has no subscription for it, so one connection polls for change."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from aggregates.kernel import Recorded

Since: TypeAlias = Callable[[int, int], list[Recorded]]


class Subscription:
    """Iterate over chunks of events behind a position, waiting while there are none; :meth:`stop` ends it from any thread.

    ``PRAGMA data_version`` costs 2 µs and tells of every other connection's commit, in this process or another.
    """

    def __init__(
        self, path: Path, since: Since, position: int, stopped: threading.Event, poll: float, chunk: int = 1000
    ) -> None:
        self.position = position
        self._path = path
        self._since = since
        self._poll = poll
        self._chunk = chunk
        self._stopped = stopped

    def stop(self) -> None:
        self._stopped.set()

    def __iter__(self) -> Iterator[list[Recorded]]:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            while not self._stopped.is_set():
                seen = connection.execute("PRAGMA data_version").fetchone()
                chunk = self._since(self.position, self._chunk)
                if chunk:
                    yield chunk
                    self.position = chunk[-1].position
                    continue
                while connection.execute("PRAGMA data_version").fetchone() == seen:
                    if self._stopped.wait(self._poll):
                        return
        finally:
            connection.close()
