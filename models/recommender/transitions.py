"""From looking at one product to looking at, carting or buying another: counted by type, a bounded number a product.

Score of b after a: Σ over types of weight × times / (what a was looked at + a prior). That is how often looking at a went on to
b, each act with a weight of its own (those of OTTO's winners, recommendations 3; a favourite weighs as a purchase).
"""

from __future__ import annotations

from collections.abc import Iterable

from models.recommender.items import HALF_LIFE
from models.recommender.strongest import strongest
from models.recommender.top_k import Leaders

WEIGHTS = {"view": 1.0, "like": 3.0, "cart": 6.0, "buy": 3.0}
PRIOR = 10.0
"""Looks that every product is given, so that one shopper's path does not rule a list."""

HOT = 60  # most looked at, kept at hand

BACK = 5
"""Products before it in the visit that an act is counted for."""

KEPT = 100
"""Paths from a product, of all types, at pruning; it may have twice as many until then."""


class Paths:
    """
    >>> paths = Paths()
    >>> paths.learn_one("pot", "view", after=["tea"], at=0); paths.learn_one("pot", "buy", after=["tea"], at=0)
    >>> [(product, round(score, 2)) for product, score in paths.onward("tea", 3)]
    [('pot', 0.4)]
    """

    def __init__(self) -> None:
        self.landmark: int | None = None
        self.looks: dict[str, int] = {}
        self.heat: dict[str, float] = {}  # looks, forward-decayed from the landmark
        self.hot = Leaders(HOT)
        self.counts: dict[str, dict[str, dict[str, int]]] = {}  # from a product, by type, to a product: times
        self.changed: dict[str, set[tuple[str, str]]] = {}
        self.looked: set[str] = set()

    def learn_one(self, product: str, kind: str, after: Iterable[str], at: int) -> None:
        """Something was done with a product after others were looked at. Looks go both ways: who saw b also saw a."""
        if kind == "view":
            self._look(product, at)
        for before in after:
            self._count(before, kind, product)
            if kind == "view":
                self._count(product, kind, before)

    def onward(self, product: str, count: int) -> list[tuple[str, float]]:
        """Where looking at a product leads most, strongest first; ties by id."""
        by_kind = self.counts.get(product, {})
        scores = dict[str, float](by_kind.get("view", {}))  # most of them, and of weight 1
        for kind in by_kind.keys() - {"view"}:
            for other, times in by_kind[kind].items():
                scores[other] = scores.get(other, 0.0) + WEIGHTS[kind] * times
        looks = self.looks.get(product, 0) + PRIOR
        return [(other, score / looks) for other, score in strongest(scores, count)]

    def _look(self, product: str, at: int) -> None:
        if self.landmark is None:
            self.landmark = at
        self.looks[product] = self.looks.get(product, 0) + 1
        self.heat[product] = self.heat.get(product, 0.0) + 2.0 ** ((at - self.landmark) / HALF_LIFE)
        self.hot.grow(product, self.heat[product])
        self.looked.add(product)

    def _count(self, product: str, kind: str, other: str) -> None:
        by_kind = self.counts.setdefault(product, {})
        counts = by_kind.setdefault(kind, {})
        counts[other] = counts.get(other, 0) + 1
        self.changed.setdefault(product, set()).add((kind, other))
        if sum(map(len, by_kind.values())) > 2 * KEPT:
            self._prune(product)

    def _prune(self, product: str) -> None:
        by_kind = self.counts[product]
        paths = [(kind, other) for kind, counts in by_kind.items() for other in counts]
        paths.sort(key=lambda path: (-by_kind[path[0]][path[1]] * WEIGHTS[path[0]], path))
        for kind, other in paths[KEPT:]:
            del by_kind[kind][other]
        self.changed[product].update(paths[KEPT:])
