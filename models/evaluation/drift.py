"""Watches the quality of our lists, and raises an alarm when their level has changed, by ADWIN.

ADWIN sees the mean recall@10 of blocks of baskets (Bifet and Gavaldà, 2007). Its own state cannot be stored, so the means are
kept and it is made anew from them whenever they are cut: a watch restored from them equals one that never stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aggregates.delta import Delta

if TYPE_CHECKING:
    from river.drift import ADWIN

BLOCK = 50
"""Baskets of one observation, which is their mean."""

MOST, KEPT = 1536, 768
"""Observations held at the most, and how many are kept then: a history of 38,400 baskets or more.

ADWIN's bound has a term of 2/3 · ln(…)/m, so a change of 0.02 shows only after some 350 observations.
"""

DELTA = 0.002
"""Chance of a false alarm at each observation."""

WATCH, ALARMS = PARTS = ("watch", "alarms")


class Watch:
    """Raises alarms. ``raised``: those since the last dump, as JSON, by the position of the basket that caused each.

    >>> watch = Watch()
    >>> for n in range(400 * BLOCK): watch.learn_one(0.2 if n < 200 * BLOCK else 0.1, "2017-03-01", n)
    >>> [json.loads(alarm)["before"] for alarm in watch.raised.values()]
    [0.2]
    """

    def __init__(self) -> None:
        self.sum = 0.0
        self.count = 0
        self.means: list[float] = []
        self.raised: dict[int, str] = {}
        self.changed = False
        self._adwin = adwin([])

    def learn_one(self, recall: float, day: str, position: int) -> None:
        self.sum += recall
        self.count += 1
        self.changed = True
        if self.count == BLOCK:
            self._observe(round(self.sum / BLOCK, 5), day, position)
            self.sum, self.count = 0.0, 0

    def resume(self, means: list[float]) -> None:
        self.means = means
        self._adwin = adwin(means)

    # State

    def dump(self, delta: Delta) -> None:
        """Write the state if it changed, and the alarms since the last time."""
        if self.changed:
            means = " ".join(map(repr, self.means))
            delta.fields[WATCH].update(sum=repr(self.sum), count=self.count, means=means)
            self.changed = False
        if self.raised:
            delta.fields[ALARMS].update({str(position): alarm for position, alarm in self.raised.items()})
            self.raised.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state from where it was written."""
        if fields := maps.get(WATCH):
            self.sum, self.count = float(fields["sum"]), int(fields["count"])
            self.resume(list(map(float, fields["means"].split())))

    def _observe(self, mean: float, day: str, position: int) -> None:
        self.means.append(mean)
        self._adwin.update(mean)  # type: ignore[no-untyped-call]
        if self._adwin.drift_detected:
            after = max(1, int(self._adwin.width))
            old, new = self.means[:-after], self.means[-after:]
            if old:
                self.raised[position] = json.dumps(
                    {"day": day, "before": round(sum(old) / len(old), 6), "after": round(sum(new) / len(new), 6)}
                    | {"baskets_before": len(old) * BLOCK, "baskets_after": len(new) * BLOCK}
                )
            self.resume(new)
        elif len(self.means) == MOST:
            self.resume(self.means[-KEPT:])


def adwin(means: list[float]) -> ADWIN:
    """Return an ADWIN that has seen these means, and looks for a change at every observation."""
    from river.drift import ADWIN  # imported here because it loads SciPy, which takes seconds

    made = ADWIN(delta=DELTA, clock=1)  # type: ignore[no-untyped-call]
    for mean in means:
        made.update(mean)  # type: ignore[no-untyped-call]
    return made
