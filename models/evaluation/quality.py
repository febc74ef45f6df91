"""How good the lists are, measured as they are used: each basket is held against what was shown before it, then learned.

Truth is the basket's distinct products. Recall@10 = found / |truth|; NDCG@10 with the ideal over min(10, |truth|); hit rate:
any found. Each is an average over baskets, so sums by day are kept and any period can be had. Every figure is given for all
products, and without *staples* (removed from lists and truth), which are bought whatever one shows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import log2

TOP = 10
DISCOUNTS = tuple(1 / log2(place + 2) for place in range(TOP))
IDEAL = tuple(sum(DISCOUNTS[: size + 1]) for size in range(TOP))

SOURCES = ("repeat", "companion", "popular-now")
BASELINES = ("personal", "popular")
LISTS = ("regulars", *SOURCES, *BASELINES)
"""Ours; each of its sources alone, by their own scores; the member's most frequent products and the shop's most sold."""

METRICS = ("recall", "ndcg", "hits")
FIELDS = {
    (scope, name): tuple(f"{scope}:{name}:{metric}" for metric in METRICS) for scope in ("all", "no-staples") for name in LISTS
}


def measure(shown: Sequence[str], truth: Collection[str]) -> tuple[float, float, int]:
    """Recall, NDCG and hit at 10 of one list against one basket.

    >>> measure(["milk", "tea"], {"tea"})
    (1.0, 0.6309297535714575, 1)
    """
    found = [discount for discount, product in zip(DISCOUNTS, shown, strict=False) if product in truth]
    if not found:
        return 0.0, 0.0, 0
    return len(found) / len(truth), sum(found) / IDEAL[min(TOP, len(truth)) - 1], 1


class Quality:
    """Sums by day: ``{scope}:baskets`` and ``{scope}:{list}:{recall|ndcg|hits}``; scope is ``all`` or ``no-staples``."""

    def __init__(self) -> None:
        self.days: dict[str, dict[str, float]] = {}
        self.changed: set[str] = set()

    def learn_one(self, day: str, lists: Mapping[str, Sequence[str]], truth: Collection[str], staples: Collection[str]) -> None:
        """``lists``: what each of :data:`LISTS` would have shown, longer than 10 where it has staples."""
        self._add(day, "all", lists, truth)
        rest = {product for product in truth if product not in staples}
        if rest:
            without = {name: [product for product in shown if product not in staples] for name, shown in lists.items()}
            self._add(day, "no-staples", without, rest)

    def _add(self, day: str, scope: str, lists: Mapping[str, Sequence[str]], truth: Collection[str]) -> None:
        sums = self.days.setdefault(day, {})
        self.changed.add(day)
        sums[f"{scope}:baskets"] = sums.get(f"{scope}:baskets", 0) + 1
        for name, shown in lists.items():
            for field, value in zip(FIELDS[scope, name], measure(shown, truth), strict=True):
                sums[field] = sums.get(field, 0) + value
