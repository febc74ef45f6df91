"""What is bought together: a bounded number of neighbours a product, counted as baskets come.

Score of a pair: lift × √n = n^1.5 × baskets / (baskets of a × baskets of b). Lift alone favours coincidence, a bare count
favours what everybody buys; their product found the most of the held-back half of a basket (recommendations 1.4).

Most pairs occur once and never again. A product whose neighbours outgrow twice their number forgets those seen once, and keeps
the most frequent of the rest (docs/decisions/0006). The list of its strongest neighbours is kept until it has sold 5 % more.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import nsmallest
from typing import TypeAlias

from aggregates.delta import Delta
from models.recommender.items import Items

NEIGHBOURS = 200
"""Neighbours of a product that pruning keeps; it may have twice as many until then."""

LARGEST_BASKET = 100
"""Products of one basket that are paired, for safety. Of 155,848 baskets of Complete Journey, 71 have more."""

Neighbours: TypeAlias = list[tuple[str, int, float]]
"""Products, baskets together, score."""

LEAST_TOGETHER = 3
"""Baskets that two products must share before a list shows it."""

STRONGEST = 10
"""Length of a product's list."""

GROWTH = 1.05
"""A product's list is made anew when its baskets have grown by this factor."""

ONCE, LIST = "products", "strongest"
"""Fields of ``once:{product}``."""


class CoOccurrence:
    """Counts of pairs, and each product's strongest neighbours.

    >>> pairs = CoOccurrence(Items())
    >>> pairs.learn_one(["milk", "tea", "salt"]); pairs.learn_one(["tea", "milk"])
    >>> pairs.together["milk"], list(pairs.once["milk"])
    ({'tea': 2}, ['salt'])
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self.together: dict[str, dict[str, int]] = {}  # baskets, from the second on
        self.once: dict[str, dict[str, None]] = {}  # those seen with it in one basket
        self._strongest: dict[str, tuple[int, Neighbours]] = {}  # the list, and the product's baskets when it was made
        self._listed: dict[str, dict[str, bool]] = {}  # by product, whose lists hold it, as far as it was read or changed
        self._moved: dict[str, dict[str, int | None]] = {}  # of ``listed``, what differs from what is stored
        self._powers: list[float] = []  # n^1.5 by n, as far as it was needed
        self.changed: dict[str, set[str]] = {}  # pairs of ``together`` that differ from what is stored

    # Learning

    def learn_one(self, products: Sequence[str], again: Collection[str] = ()) -> None:
        """Learn a basket of distinct products.

        ``again``: those that the shopper has bought that day before. A pair of two of them has counted.
        """
        basket = products[:LARGEST_BASKET]
        for product in basket:
            together, once = self.together.setdefault(product, {}), self.once.setdefault(product, {})
            changed = self.changed.setdefault(product, set())
            others = basket if product not in again else [other for other in basket if other not in again]
            for other in others:
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

    def unlearn_one(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Count pairs of one basket back, as far as they are held."""
        for one, two in pairs:
            for product, other in ((one, two), (two, one)):
                together, once = self.together.setdefault(product, {}), self.once.setdefault(product, {})
                count = together.get(other, 0)
                if count > 2:
                    together[other] = count - 1
                elif count:
                    del together[other]
                    once[other] = None
                else:
                    once.pop(other, None)
                self.changed.setdefault(product, set()).add(other)

    def remake(self, products: Iterable[str]) -> None:
        """Make the lists of these products anew."""
        for product in products:
            self._remake(product)

    def refresh(self, products: Sequence[str]) -> list[str]:
        """Make the lists anew of those products that have sold enough more, and return these products."""
        due = [p for p in products if self._items[p].baskets >= GROWTH * self._strongest.get(p, (0, []))[0]]
        for product in due:
            self._remake(product)
        return due

    def leave(self, product: str) -> list[str]:
        """Make the lists anew that hold a product which is not sold any more, and return whose they are."""
        left = self.listing(product)
        for other in left:
            self._remake(other)
        return left

    def _remake(self, product: str) -> None:
        self.changed.setdefault(product, set())
        before = {other for other, *_ in self._strongest.get(product, (0, []))[1]}
        self._strongest[product] = self._items[product].baskets, self.neighbours(product, STRONGEST)
        after = {other for other, *_ in self._strongest[product][1]}
        for other in before ^ after:
            self._moved.setdefault(other, {})[product] = 1 if other in after else None
            self._listed.setdefault(other, {})[product] = other in after

    def _prune(self, product: str) -> None:
        self.once[product].clear()
        held = self.together[product]
        if len(held) > NEIGHBOURS:
            kept = nsmallest(NEIGHBOURS, held, key=lambda other: (-held[other], other))
            self.changed[product].update(held.keys() - set(kept))
            self.together[product] = {other: held[other] for other in kept}

    # Reading

    def strongest(self, product: str) -> Neighbours:
        """Return the list of a product as it was last made, without what was retired since."""
        found, gone = self._strongest.get(product, (0, []))[1], self._items.gone
        return [pair for pair in found if pair[0] not in gone] if gone else found

    def listing(self, product: str) -> list[str]:
        """Return the products whose lists hold a product, in the order of their ids."""
        return sorted(other for other, holds in self._listed.get(product, {}).items() if holds)

    def neighbours(self, product: str, count: int) -> Neighbours:
        """Return the strongest neighbours as of now that are still sold."""
        items, sold = self._items, self._items[product].baskets
        powers = self._powers
        powers.extend(n**1.5 for n in range(len(powers), sold + 1))
        scored = [
            (-powers[together] / item.baskets, other, together)
            for other, together in self.together.get(product, {}).items()
            if together >= LEAST_TOGETHER and not ((item := items[other]).retired or item.sold_out)
        ]
        scored.sort()
        lift = items.baskets / max(sold, 1)
        return [(other, together, -part * lift) for part, other, together in scored[:count]]

    # State

    def dump(self, delta: Delta) -> None:
        """Write what changed since the last time."""
        for product, others in self.changed.items():
            if others:
                together = self.together[product]
                delta.fields[f"pairs:{product}"].update({other: together.get(other) for other in others})
            fields = delta.fields[f"once:{product}"]
            fields[ONCE] = "\n".join(self.once.get(product, ())) or None
            fields[LIST] = json.dumps(self._strongest[product]) if product in self._strongest else None
        for product, lists in self._moved.items():
            delta.fields[f"listed:{product}"].update(lists)
        self.changed.clear()
        self._moved.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state of some products from where it was written."""
        for key, fields in maps.items():
            kind, _, product = key.partition(":")
            if kind == "pairs":
                self.together[product] = {other: int(count) for other, count in fields.items()}
            elif kind == "listed":
                # it was written before it was read, and what was written last may not be stored yet
                self._listed[product] = {**dict.fromkeys(fields, True), **self._listed.get(product, {})}
            elif kind == "once":
                self.once[product] = dict.fromkeys(fields[ONCE].split("\n") if ONCE in fields else ())
                if LIST in fields:
                    sold, strongest = json.loads(fields[LIST])
                    self._strongest[product] = sold, [(other, together, score) for other, together, score in strongest]
