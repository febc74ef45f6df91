"""Whether a process is well: when each of the things it lives by was last heard of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

TICK = 1.0  # seconds between two beats of an event loop


class Heard:
    """``what``: of whom. Before it is heard of at all, it is silent since now."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.what = what
        self._clock = clock
        self._last = clock()
        self.up = False

    def heard(self) -> None:
        self._last, self.up = self._clock(), True

    def missed(self) -> None:
        """Asked, it did not answer."""
        self.up = False

    @property
    def silent(self) -> float:
        """Seconds since it was last heard of."""
        return self._clock() - self._last

    def ailments(self, patience: float) -> list[str]:
        """
        >>> Heard("Redis", iter([0.0, 31.2, 31.2]).__next__).ailments(30)
        ['Redis has been silent for 31 s.']
        """
        return [f"{self.what} has been silent for {self.silent:.0f} s."] if self.silent > patience else []


def beat(loop: asyncio.AbstractEventLoop, heart: Heard) -> None:
    """Have an event loop be heard of for as long as it runs."""
    heart.heard()
    loop.call_later(TICK, beat, loop, heart)
