"""What sells now: purchases that lose half their weight in a week of event time, of products that are sold.

Forward decay (Cormode et al., 2009): a purchase weighs 2^(age at its landmark / half-life), fixed for ever, so the ranking
needs no refresh. A landmark begins every 28 days. A purchase counts in its period and, decayed, in the next one, so a reader
needs the ranking of one period only, number ``at // PERIOD``. What is older than one period would weigh less than a sixteenth,
and is left out. Weights are integers, 2^20 at a period's beginning.
"""

from __future__ import annotations

from collections.abc import Mapping

from aggregates.delta import Delta

HOUR = 3_600_000
HALF_LIFE = 7 * 24  # hours
PERIOD = 28 * 24 * HOUR  # milliseconds
UNIT = 1 << 20
WEIGHTS = tuple(round(UNIT * 2 ** (hour / HALF_LIFE)) for hour in range(PERIOD // HOUR))
CARRIED = tuple(weight >> PERIOD // (HALF_LIFE * HOUR) for weight in WEIGHTS)  # four half-lives later

KEPT = 3
"""Periods of a product that are kept, the latest: what leaves the ranking can come back in these."""

SELLS = "sells"


class Trending:
    """The scores of products by period, and whether the rankings show them.

    >>> trending, delta = Trending(), Delta()
    >>> trending.learn_one("tea", 0); trending.learn_one("pot", 0); trending.show("tea", False); trending.dump(delta)
    >>> {key: dict(scores) for key, scores in delta.scores.items()}
    {'trending:0': {'pot': 1048576}, 'trending:1': {'pot': 65536}}
    """

    def __init__(self) -> None:
        self.scores: dict[str, dict[int, int]] = {}
        self._hidden: set[str] = set()
        self._moved: dict[tuple[int, str], int] = {}
        self._changed: set[str] = set()

    def learn_one(self, product: str, at: int) -> None:
        """Learn a purchase."""
        for period, weight in weights_of(at):
            scores = self.scores.setdefault(product, {})
            scores[period] = scores.get(period, 0) + weight
            self._move(period, product, weight)
            if len(scores) > KEPT:
                del scores[min(scores)]
        self._changed.add(product)

    def unlearn_one(self, product: str, at: int) -> None:
        """Take a purchase back, in the periods that are kept."""
        scores = self.scores.get(product, {})
        for period, weight in weights_of(at):
            if period in scores:
                scores[period] -= weight
                if not scores[period]:
                    del scores[period]
                self._move(period, product, -weight)
        self._changed.add(product)

    def show(self, product: str, shown: bool) -> None:
        """Take a product out of the rankings, or put it back as if it had been there."""
        if shown is (product not in self._hidden):
            return
        self._hidden.discard(product)
        for period, score in self.scores.get(product, {}).items():
            self._move(period, product, score if shown else -score)
        if not shown:
            self._hidden.add(product)

    def _move(self, period: int, product: str, by: int) -> None:
        if product not in self._hidden:
            self._moved[period, product] = self._moved.get((period, product), 0) + by

    def dump(self, delta: Delta) -> None:
        """Write what changed since the last time."""
        for (period, product), by in self._moved.items():
            if by:
                delta.score(f"trending:{period}", product, by)
        for product in self._changed:
            scores = self.scores.get(product, {})
            text = " ".join(f"{period}:{score}" for period, score in sorted(scores.items()))
            delta.fields[SELLS][product] = text or None
        self._moved.clear()
        self._changed.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state from where it was written; :meth:`hide` then says which products are not shown."""
        for product, text in maps.get(SELLS, {}).items():
            pairs = (pair.split(":") for pair in text.split())
            self.scores[product] = {int(period): int(score) for period, score in pairs}

    def hide(self, product: str) -> None:
        """Note that the stored rankings do not show a product."""
        self._hidden.add(product)


def weights_of(at: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the periods in which a purchase counts, and how much."""
    period, into = divmod(at, PERIOD)
    return (period, WEIGHTS[into // HOUR]), (period + 1, CARRIED[into // HOUR])
