"""The lists a storefront shows: which product in which place, with its score and its reason.

A member's list is what they buy again, strongest first, and ends with what is new to them: companions of their latest basket,
then what is popular. A product's list is what it is bought with.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from models.co_occurrence import CoOccurrence
from models.items import Items
from models.leaders import Leaders
from models.reasons import bought_before, bought_with, popular_in
from models.repeat import RepeatBuyers

Neighbours: TypeAlias = list[tuple[str, int, float]]
"""Products, baskets together, score."""

LISTED = 20
PAIRED = 10
"""Places of a product's list."""

AGAIN = 15  # places for what a member bought before; the rest is for what is new to them
COMPANIONS = 3  # places for what goes with the latest basket


@dataclass(frozen=True)
class Entry:
    """``score`` orders a list and is comparable within its ``source`` (``repeat``, ``companion``, ``popular``)."""

    product: str
    name: str
    score: float
    source: str
    reason: str


@dataclass(frozen=True)
class Recommendations:
    """What to show a member, best first, as of their latest basket (UTC epoch milliseconds)."""

    member: str
    items: tuple[Entry, ...]
    as_of: int
    position: int


@dataclass(frozen=True)
class Companion:
    product: str
    name: str
    score: float
    together: int
    reason: str


@dataclass(frozen=True)
class Companions:
    """What a product is bought with, best first, as of its latest sale."""

    product: str
    items: tuple[Companion, ...]
    as_of: int
    position: int


@dataclass(frozen=True)
class Popular:
    """What to show a shopper of whom nothing is known."""

    items: tuple[Entry, ...]
    as_of: int
    position: int


class Slots:
    def __init__(self, items: Items, repeat: RepeatBuyers, pairs: CoOccurrence, hot: Leaders) -> None:
        self._items = items
        self._repeat = repeat
        self._pairs = pairs
        self._hot = hot

    def neighbours(self, basket: Sequence[str]) -> dict[str, Neighbours]:
        """The strongest neighbours of each product of a basket."""
        return {product: self._pairs.neighbours(product, PAIRED) for product in basket}

    def member(self, member: str, neighbours: Mapping[str, Neighbours]) -> list[Entry]:
        """A member's list, given the neighbours of their latest basket."""
        again = self._again(member)
        companions = self._with(member, neighbours)
        known = self._repeat.members[member].products.keys() | {entry.product for entry in companions}
        return [*again, *companions, *self._popular(known, LISTED - len(again) - len(companions))]

    def product(self, product: str, neighbours: Neighbours) -> list[Companion]:
        name = self._name(product)
        return [
            Companion(other, self._name(other), round(score, 4), together, bought_with(name))
            for other, together, score in neighbours
        ]

    def popular(self) -> list[Entry]:
        return self._popular(frozenset(), LISTED)

    def _again(self, member: str) -> list[Entry]:
        habits = self._repeat.members[member].products
        return [
            Entry(product, self._name(product), round(score, 6), "repeat", bought_before(habits[product]))
            for product, score in self._repeat.ranked(member, AGAIN)
        ]

    def _with(self, member: str, neighbours: Mapping[str, Neighbours]) -> list[Entry]:
        mine = self._repeat.members[member].products
        best: dict[str, tuple[float, str]] = {}
        for product, strongest in neighbours.items():
            for other, _, score in strongest:
                if other not in mine and score > best.get(other, (0.0, ""))[0]:
                    best[other] = score, product
        ranked = sorted(best, key=lambda other: (-best[other][0], other))[:COMPANIONS]
        return [
            Entry(other, self._name(other), round(best[other][0], 4), "companion", bought_with(self._name(best[other][1])))
            for other in ranked
        ]

    def _popular(self, known: Collection[str], count: int) -> list[Entry]:
        ranked = (product for product in self._hot.ranked() if product not in known and not self._items[product].retired)
        return [
            Entry(product, self._name(product), self._share(product), "popular", popular_in(self._items[product].department))
            for product in islice(ranked, count)
        ]

    def _share(self, product: str) -> float:
        """How hot a product is, beside the hottest."""
        return round(self._items[product].heat / self._hot.highest, 6) if self._hot.highest else 0.0

    def _name(self, product: str) -> str:
        return self._items[product].name or product
