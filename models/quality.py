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

LISTS = ("regulars", "personal", "popular")
"""Ours; the member's own most frequent products; the shop's most sold."""


def measure(shown: Sequence[str], truth: Collection[str]) -> tuple[float, float, int]:
    """Recall, NDCG and hit at 10 of one list against one basket.

    >>> measure(["milk", "tea"], {"tea"})
    (1.0, 0.6309297535714575, 1)
    """
    gain, found = 0.0, 0
    for discount, product in zip(DISCOUNTS, shown, strict=False):
        if product in truth:
            gain += discount
            found += 1
    return found / len(truth), gain / IDEAL[min(TOP, len(truth)) - 1], int(found > 0)


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
            recall, ndcg, hit = measure(shown, truth)
            for metric, value in (("recall", recall), ("ndcg", ndcg), ("hits", hit)):
                field = f"{scope}:{name}:{metric}"
                sums[field] = sums.get(field, 0) + value
