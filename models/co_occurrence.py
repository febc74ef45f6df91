"""What is bought together: a bounded number of neighbours a product, counted as baskets come.

Score of a pair: lift × √n = n^1.5 × baskets / (baskets of a × baskets of b). Lift alone loves coincidence, a bare count loves
what everybody buys; their product found the most of the held-back half of a basket (recommendations 1.4).

Most pairs are seen once and never again. A product whose neighbours outgrow twice their number forgets those seen once, and
keeps the most frequent of the rest. The loss against full counts is stated in docs/decisions/0006.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest

from models.items import Items

NEIGHBOURS = 200
"""Kept at pruning, at the most; a product may hold twice as many until then."""

LARGEST_BASKET = 100
"""Products of one basket that are paired: a limit for safety, which 71 of 155,848 baskets of Complete Journey exceed."""

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
        self._often: dict[str, dict[str, int]] = {}  # of these, the pairs that may be told
        self.changed: dict[str, set[str]] = {}

    def learn_one(self, products: Sequence[str]) -> None:
        """A basket of distinct products."""
        basket = products[:LARGEST_BASKET]
        for product in basket:
            neighbours = self.together.setdefault(product, {})
            often = self._often.setdefault(product, {})
            for other in basket:
                count = neighbours.get(other, 0) + 1
                neighbours[other] = count
                if count >= LEAST_TOGETHER:
                    often[other] = count
            del neighbours[product]
            self.changed.setdefault(product, set()).update(basket)
            if len(neighbours) > 2 * NEIGHBOURS:
                self._prune(product)

    def restore(self, product: str, together: dict[str, int]) -> None:
        """Take these as all the neighbours of a product."""
        self.together[product] = together
        self._often[product] = {other: count for other, count in together.items() if count >= LEAST_TOGETHER}

    def neighbours(self, product: str, count: int) -> list[tuple[str, int, float]]:
        """The strongest neighbours that are still sold: product, baskets together, score."""
        items = self._items
        scored = [
            (-(together**1.5) / item.baskets, other, together)
            for other, together in self._often.get(product, {}).items()
            if not (item := items[other]).retired
        ]
        lift = items.baskets / items[product].baskets
        return [(other, together, -part * lift) for part, other, together in nsmallest(count, scored)]

    def _prune(self, product: str) -> None:
        held = self.together[product]
        again = {other: count for other, count in held.items() if count > 1}
        kept = nsmallest(NEIGHBOURS, again, key=lambda other: (-again[other], other))
        self.changed[product].update(held)
        self.restore(product, {other: again[other] for other in kept})
