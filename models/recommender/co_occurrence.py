"""What is bought together: a bounded number of neighbours a product, counted as baskets come.

Score of a pair: lift × √n = n^1.5 × baskets / (baskets of a × baskets of b). Lift alone loves coincidence, a bare count loves
what everybody buys; their product found the most of the held-back half of a basket (recommendations 1.4).

Most pairs are seen once and never again. A product whose neighbours outgrow twice their number forgets those seen once, and
keeps the most frequent of the rest. The loss against full counts is stated in docs/decisions/0006.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest
from typing import TypeAlias

from models.recommender.items import Items

NEIGHBOURS = 200
"""Kept at pruning, at the most; a product may hold twice as many until then."""

LARGEST_BASKET = 100
"""Products of one basket that are paired: a limit for safety, which 71 of 155,848 baskets of Complete Journey exceed."""

Neighbours: TypeAlias = list[tuple[str, int, float]]
"""Products, baskets together, score."""

LEAST_TOGETHER = 3
"""Baskets that two products must share before anybody is told."""


class CoOccurrence:
    """
    >>> pairs = CoOccurrence(Items())
    >>> pairs.learn_one(["milk", "tea", "salt"]); pairs.learn_one(["tea", "milk"])
    >>> pairs.together["milk"], list(pairs.once["milk"])
    ({'tea': 2}, ['salt'])
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self.together: dict[str, dict[str, int]] = {}  # baskets, from the second on
        self.once: dict[str, dict[str, None]] = {}  # the many seen with it in one basket
        self._powers: list[float] = []  # n^1.5 by n, as far as it was needed
        self.changed: dict[str, set[str]] = {}  # pairs of ``together`` that are not what was written last

    def learn_one(self, products: Sequence[str]) -> None:
        """A basket of distinct products."""
        basket = products[:LARGEST_BASKET]
        for product in basket:
            together, once = self.together.setdefault(product, {}), self.once.setdefault(product, {})
            changed = self.changed.setdefault(product, set())
            for other in basket:
                if other in together:
                    together[other] += 1
                    changed.add(other)
                elif other in once:
                    del once[other]
                    together[other] = 2
                    changed.add(other)
                elif other is not product:
                    once[other] = None
            if len(together) + len(once) > 2 * NEIGHBOURS:
                self._prune(product)

    def neighbours(self, product: str, count: int) -> Neighbours:
        """The strongest neighbours that are still sold: product, baskets together, score."""
        items, sold = self._items, self._items[product].baskets
        powers = self._powers
        powers.extend(n**1.5 for n in range(len(powers), sold + 1))
        scored = [
            (-powers[together] / item.baskets, other, together)
            for other, together in self.together.get(product, {}).items()
            if together >= LEAST_TOGETHER and not (item := items[other]).retired
        ]
        scored.sort()
        lift = items.baskets / sold
        return [(other, together, -part * lift) for part, other, together in scored[:count]]

    def _prune(self, product: str) -> None:
        self.once[product].clear()
        held = self.together[product]
        if len(held) > NEIGHBOURS:
            kept = nsmallest(NEIGHBOURS, held, key=lambda other: (-held[other], other))
            self.changed[product].update(held.keys() - set(kept))
            self.together[product] = {other: held[other] for other in kept}
