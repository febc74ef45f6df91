"""How far a process has come with the partitions that are its own, and for how long it has not moved though there is more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

Place: TypeAlias = tuple[str, int]
"""A topic's partition."""


@dataclass(frozen=True)
class Standing:
    """``next``: offset to go on from, ``end``: where the partition ends, None as long as it is not known. ``position``: in the
    log, 0 as long as it is not known. ``since``: when it last moved, or had no more to do.
    """

    since: float
    next: int | None = None
    end: int | None = None
    position: int = 0

    @property
    def lag(self) -> int | None:
        """Records that are not applied yet."""
        return None if self.next is None or self.end is None else max(0, self.end - self.next)


class Progress:
    """Any thread may tell and ask. ``assigned``: whether partitions were given out, be it none to this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._standings: dict[Place, Standing] = {}
        self._alone = threading.Lock()
        self.assigned = False

    def assign(self, places: Iterable[Place]) -> None:
        """These partitions are its own, and no others."""
        with self._alone:
            now = self._clock()
            self._standings = {(place[0], place[1]): self._standings.get(place, Standing(now)) for place in places}
            self.assigned = True

    def reached(self, place: Place, following: int, position: int = 0) -> None:
        """All before the offset ``following`` is applied."""
        with self._alone:
            if (held := self._standings.get(place)) is not None:
                since = self._clock() if following != held.next else held.since
                self._standings[place] = replace(held, since=since, next=following, position=position or held.position)

    def set_back(self, place: Place, following: int) -> None:
        """It has to read again from an earlier offset, which is no progress."""
        with self._alone:
            if (held := self._standings.get(place)) is not None:
                self._standings[place] = replace(held, next=following)

    def ends(self, ends: Mapping[Place, int]) -> None:
        """Where partitions end now, of which some are its own."""
        with self._alone:
            now = self._clock()
            for place, held in self._standings.items():
                if place in ends:
                    since = held.since if held.lag else now
                    self._standings[place] = replace(held, end=ends[place], since=since)

    def standings(self) -> dict[Place, Standing]:
        return dict(self._standings)

    def waiting(self) -> dict[Place, float]:
        """Seconds since each partition last moved; 0 where there is no more to do."""
        now = self._clock()
        return {place: now - held.since if held.lag else 0.0 for place, held in self.standings().items()}
