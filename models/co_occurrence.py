"""What is bought together: a bounded number of neighbours a product, counted as baskets come.

Score of a pair: lift × √n = n^1.5 × baskets / (baskets of a × baskets of b). Lift alone loves coincidence, a bare count loves
what everybody buys; their product found the most of the held-back half of a basket (recommendations 1.4).
"""

from __future__ import annotations

from collections.abc import Sequence

from models.items import Items

NEIGHBOURS = 200
"""Kept at pruning; a product may hold twice as many until then."""

LARGEST_BASKET = 60
"""Products of one basket that are paired: a larger one says little of any pair, and costs its square."""

LEAST_TOGETHER = 3
"""Baskets that two products must share before anybody is told."""


class CoOccurrence:
    """
    >>> pairs = CoOccurrence(Items())
    >>> pairs.learn_one(["milk", "tea"]); pairs.learn_one(["tea", "milk"])
    >>> pairs.together["milk"]
    {'tea': 2}
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self.together: dict[str, dict[str, int]] = {}
        self.changed: dict[str, set[str]] = {}

    def learn_one(self, products: Sequence[str]) -> None:
        basket = products[:LARGEST_BASKET]
        for product in basket:
            neighbours = self.together.setdefault(product, {})
            changed = self.changed.setdefault(product, set())
            for other in basket:
                if other is not product:
                    neighbours[other] = neighbours.get(other, 0) + 1
            changed.update(basket)
            if len(neighbours) > 2 * NEIGHBOURS:
                self._prune(product)

    def score(self, product: str, other: str, together: int) -> float:
        items = self._items
        return float(together**1.5) * items.baskets / (items[product].baskets * items[other].baskets)

    def neighbours(self, product: str, count: int) -> list[tuple[str, int, float]]:
        """The strongest neighbours: product, baskets together, score."""
        baskets = self._items
        scored = [
            (-(together**1.5) / baskets[other].baskets, other, together)
            for other, together in self.together.get(product, {}).items()
            if together >= LEAST_TOGETHER and not baskets[other].retired
        ]
        return [(other, n, self.score(product, other, n)) for _, other, n in sorted(scored)[:count]]

    def _prune(self, product: str) -> None:
        baskets = self._items
        held = self.together[product]
        kept = sorted(held, key=lambda other: (held[other] ** 1.5 / baskets[other].baskets, other), reverse=True)[:NEIGHBOURS]
        self.changed[product].update(held)
        self.together[product] = {other: held[other] for other in kept}
