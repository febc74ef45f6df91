"""Which instant counts as now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from streams.commands.scheduler import latest
from streams.running.app import App

KNOWN_FOR = 1.0
"""Seconds for which the latest instant of the log is not read again."""


def clock_of(app: App) -> Callable[[], int]:
    """Return a function that returns now in UTC epoch milliseconds.

    For a live shop (``REGULARS_CLOCK=wall``) that is the machine's time, else the latest instant in the log, so that a log of
    2017 stays in 2017.
    """
    if app.settings.clock == "wall":
        return lambda: round(time.time() * 1000)
    return lambda: latest(app.log)


class CachedClock:
    """Now, for who asks often: one read of the log serves all questions of a second."""

    def __init__(self, app: App) -> None:
        self._read = clock_of(app)
        self._wall = app.settings.clock == "wall"
        self._known, self._read_at = 0, -KNOWN_FOR

    async def now(self) -> int:
        """Return now in UTC epoch milliseconds, up to a second old for a shop whose clock is its log."""
        if self._wall:
            return self._read()
        if (at := time.monotonic()) - self._read_at >= KNOWN_FOR:
            self._known, self._read_at = await asyncio.to_thread(self._read), at
        return self._known
