"""How good the lists are, measured as they are used: each basket, and each look, is held against the list of that moment.

Baskets: the truth is the basket's distinct products. Recall@10 = found / |truth|; NDCG@10 with the ideal over min(10, |truth|);
hit rate: any found. Visits: the truth is the product that is looked at next, which may be one that the visit has seen.
HR@20: it is among the first 20; MRR@20: 1 over its place there.

Figures are sums by day, so that any period can be had. Beside each list stands the sum of its squared difference from ours,
basket by basket, from which the paired standard error follows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import log2

from aggregates.delta import Delta

TOP = 10
DISCOUNTS = tuple(1 / log2(place + 2) for place in range(TOP))
IDEAL = tuple(sum(DISCOUNTS[: size + 1]) for size in range(TOP))

SOURCES = ("repeat", "companion", "popular-now")
BASELINES = ("personal", "decayed", "popular")
LISTS = ("regulars", *SOURCES, *BASELINES)
"""Ours; each of its sources alone, by their own scores; and plain baselines, filled up with the shop's most sold: the member's
most frequent products (ties: the latest), those by purchases that fade in 180 days times the return rate, and nothing else."""

SCOPES = ("all", "no-staples", "first", "new")
"""All baskets; without staples, which are bought whatever a list shows; members' first baskets alone; and, of the others, what
the member had never bought, against the list of such products."""

NEW_LISTS = ("regulars", "companion", "popular-now", "popular")
"""The lists that are measured on what is new."""

METRICS = ("recall", "ndcg", "hits")
PAIRED = ("recall", "ndcg")

VISIT_TOP = 20
VISIT_LISTS = ("regulars", "transitions", "together", "revisit", "transitions+revisit", "hour", "popular")
"""Ours; each source alone; where the visit leads joined with what was seen, by reciprocal places; the month's most seen."""

VISIT_METRICS = ("hits", "mrr")


def gain(metric: str) -> str:
    """Return the name of the sum of squared differences of a metric."""
    return f"{metric}-gain2"


def fields(scope: str, name: str, metrics: Sequence[str], paired: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(f"{scope}:{name}:{metric}" for metric in metrics), tuple(f"{scope}:{name}:{gain(metric)}" for metric in paired)


FIELDS = {(scope, name): fields(scope, name, METRICS, PAIRED) for scope in SCOPES for name in LISTS}
VISIT_FIELDS = {name: fields("visits", name, VISIT_METRICS, VISIT_METRICS) for name in VISIT_LISTS}


def measure(shown: Sequence[str], truth: Collection[str]) -> tuple[float, float, int]:
    """Return recall, NDCG and hit at 10 of one list against one basket.

    >>> measure(["milk", "tea"], {"tea"})
    (1.0, 0.6309297535714575, 1)
    """
    found = [discount for discount, product in zip(DISCOUNTS, shown, strict=False) if product in truth]
    if not found:
        return 0.0, 0.0, 0
    return len(found) / len(truth), sum(found) / IDEAL[min(TOP, len(truth)) - 1], 1


class Quality:
    """Sums by day: ``{scope}:baskets`` and ``{scope}:{list}:{metric}``; of visits ``visits:acts``, ``visits:{list}:…``."""

    def __init__(self) -> None:
        self.days: dict[str, dict[str, float]] = {}
        self.changed: set[str] = set()

    def learn_one(
        self, day: str, scopes: Sequence[str], lists: Mapping[str, Sequence[str]], truth: frozenset[str]
    ) -> dict[str, tuple[float, float, int]]:
        """Learn one basket in some scopes, and return what each list was worth. ``lists``: what each would show, ours first."""
        values = {name: measure(shown, truth) for name, shown in lists.items()}
        for scope in scopes:
            sums = self._sums(day, f"{scope}:baskets")
            ours = next(iter(values.values()))
            for name, value in values.items():
                add(sums, FIELDS[scope, name], value, ours)
        return values

    def learn_look(self, day: str, places: Mapping[str, int]) -> None:
        """Learn one look. ``places``: the place of the product in each of :data:`VISIT_LISTS`, ours first; 0 for none."""
        sums = self._sums(day, "visits:acts")
        ours: tuple[float, ...] = ()
        for name, place in places.items():
            values = (1, 1 / place) if 0 < place <= VISIT_TOP else (0, 0.0)
            ours = ours or values
            add(sums, VISIT_FIELDS[name], values, ours)

    def _sums(self, day: str, count: str) -> dict[str, float]:
        sums = self.days.setdefault(day, {})
        self.changed.add(day)
        sums[count] = sums.get(count, 0) + 1
        return sums

    # State

    def dump(self, delta: Delta) -> None:
        """Write the days that changed since the last time."""
        for day in self.changed:
            delta.fields[f"quality:{day}"].update((name, repr(value)) for name, value in self.days[day].items())
        self.changed.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read some days from where they were written."""
        for key, stored in maps.items():
            if stored and key.startswith("quality:"):
                self.days[key.partition(":")[2]] = {name: number(value) for name, value in stored.items()}


def add(
    sums: dict[str, float], names: tuple[tuple[str, ...], tuple[str, ...]], values: Sequence[float], ours: Sequence[float]
) -> None:
    """Add the values of one list, and the squares of what ours has more."""
    for name, value in zip(names[0], values, strict=True):
        if value:
            sums[name] = sums.get(name, 0) + value
    if values is not ours:
        for name, value, mine in zip(names[1], values, ours, strict=False):
            if value != mine:
                sums[name] = sums.get(name, 0) + (mine - value) ** 2


def number(text: str) -> float:
    """Return a sum as it was: whole numbers stay whole."""
    return int(text) if text.isdigit() else float(text)
