"""Waiting for new rows in a SQLite log: the library has no subscription for it, so one connection polls for change."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Generic

from infra.event_log.types import R, Since

CHUNK = 1000


class Subscription(Generic[R]):
    """Iterate over chunks of what is behind a position, waiting while there are none; :meth:`stop` ends it from any thread.

    ``PRAGMA data_version`` costs 2 µs and tells of every other connection's commit, in this process or another.
    """

    def __init__(self, path: Path, since: Since[R], position: int, stopped: threading.Event, poll: float) -> None:
        self.position = position
        self._path = path
        self._since: Since[R] = since
        self._poll = poll
        self._stopped = stopped

    def stop(self) -> None:
        self._stopped.set()

    def __iter__(self) -> Iterator[list[R]]:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            while not self._stopped.is_set():
                seen = connection.execute("PRAGMA data_version").fetchone()
                chunk = self._since(self.position, CHUNK)
                if chunk:
                    self.position = chunk[-1].position
                    yield chunk
                    continue
                while connection.execute("PRAGMA data_version").fetchone() == seen:
                    if self._stopped.wait(self._poll):
                        return
        finally:
            connection.close()
