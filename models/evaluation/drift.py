"""A watch over the quality of our lists: it tells when their level has changed, by ADWIN.

Baskets are taken in blocks, whose mean recall@10 is what ADWIN sees (Bifet and Gavaldà, 2007). It is made anew from the means
that are kept whenever these are cut, so that a watch restored from them is the same as one that never stopped.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from river.drift import ADWIN

BLOCK = 50
"""Baskets whose mean is one observation."""

MOST, KEPT = 1536, 768
"""Observations held at the most, and what is left of them then: a history of 38,400 baskets or more.

ADWIN's bound has a part of 2/3 · ln(…)/m that no certainty lowers: a change of 0.02 shows after some 350 observations.
"""

DELTA = 0.002
"""How sure an alarm is: the chance of a false one, at each observation."""


class Watch:
    """``raised``: the alarms since it was cleared, as JSON, by the position in the log of the basket that set each off.

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
    """One that has seen these; it looks for a change at every observation."""
    from river.drift import ADWIN  # it brings SciPy, for which every command would wait seconds

    made = ADWIN(delta=DELTA, clock=1)  # type: ignore[no-untyped-call]
    for mean in means:
        made.update(mean)  # type: ignore[no-untyped-call]
    return made
