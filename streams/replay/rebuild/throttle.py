"""Makes a rebuild rest, so that what is live keeps the processor and Redis."""

from __future__ import annotations

import time
from statistics import median

import redis

from infra.redis.versions import EPOCH

PROBES = 21
"""Reads that are timed before the work begins."""

SLOW = 5
"""A read is slow if it takes so many times the median of these."""


class Throttle:
    """Rests after work. ``pause``: seconds to rest for each second of work, twice as many while Redis answers slowly.

    ``quiet``: seconds of a read while nothing of the rebuild is at work; measured now if it is not given.
    """

    def __init__(self, client: redis.Redis, pause: float = 0.0, quiet: float = 0.0) -> None:
        self._client = client
        self.pause = pause
        self.quiet = quiet
        if pause and not quiet:
            self.quiet = median(self._read() for _ in range(PROBES))

    def rest(self, worked: float) -> None:
        """Sleep after so many seconds of work."""
        if self.pause:
            time.sleep(self.pause * worked * (2 if self._read() > SLOW * self.quiet else 1))

    def _read(self) -> float:
        begun = time.perf_counter()
        self._client.get(EPOCH)
        return time.perf_counter() - begun
