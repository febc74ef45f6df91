"""The shop's now, for answers: the wall's clock of a live shop, else the latest instant in the log."""

from __future__ import annotations

import asyncio
import time

from streams.queries.clock import clock_of
from streams.running.app import App

KNOWN_FOR = 1.0
"""Seconds for which the latest instant of the log is not read again."""


class CachedClock:
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
