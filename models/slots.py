"""The lists a storefront shows: which product in which place, with its score and its reason.

A member's list is what they buy again, strongest first; then what goes with their latest basket and they never bought; then
what is popular. A product's list is what it is bought with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.co_occurrence import CoOccurrence
from models.items import Items
from models.leaders import Leaders
from models.reasons import bought_before, bought_with, popular_in
from models.repeat import RepeatBuyers

LISTED = 20
COMPANIONS = 5  # neighbours asked of each product of the latest basket


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

    def member(self, member: str, basket: Sequence[str]) -> list[Entry]:
        """The list after ``basket``, the member's latest."""
        entries = self._again(member)[:LISTED]
        for source in (self._with, self._popular):
            if len(entries) < LISTED:
                entries += source(member, basket, {entry.product for entry in entries}, LISTED - len(entries))
        return entries

    def product(self, product: str) -> list[Companion]:
        name = self._name(product)
        return [
            Companion(other, self._name(other), round(score, 4), together, bought_with(name))
            for other, together, score in self._pairs.neighbours(product, LISTED)
        ]

    def popular(self) -> list[Entry]:
        return self._popular("", (), set(), LISTED)

    def _again(self, member: str) -> list[Entry]:
        habits = self._repeat.members[member].products
        scores = self.repeat_scores(member)
        ranked = sorted(scores, key=lambda product: (-scores[product], product))[:LISTED]
        return [
            Entry(product, self._name(product), round(scores[product], 6), "repeat", bought_before(habits[product]))
            for product in ranked
        ]

    def repeat_scores(self, member: str) -> dict[str, float]:
        items, strength = self._items, self._repeat.predict_one
        return {
            product: strength(member, product) * items.return_rate(product)
            for product in self._repeat.members[member].products
            if not items[product].retired
        }

    def _with(self, member: str, basket: Sequence[str], listed: set[str], count: int) -> list[Entry]:
        mine = self._repeat.members[member].products
        best: dict[str, tuple[float, str]] = {}
        for product in basket:
            for other, _, score in self._pairs.neighbours(product, COMPANIONS):
                if other not in mine and other not in listed and score > best.get(other, (0.0, ""))[0]:
                    best[other] = score, product
        ranked = sorted(best, key=lambda other: (-best[other][0], other))[:count]
        return [
            Entry(other, self._name(other), round(best[other][0], 4), "companion", bought_with(self._name(best[other][1])))
            for other in ranked
        ]

    def _popular(self, _member: str, _basket: Sequence[str], listed: set[str], count: int) -> list[Entry]:
        ranked = [product for product in self._hot.ranked() if product not in listed and not self._items[product].retired]
        return [
            Entry(product, self._name(product), self._share(product), "popular", popular_in(self._items[product].department))
            for product in ranked[:count]
        ]

    def _share(self, product: str) -> float:
        """How hot a product is, beside the hottest."""
        return round(self._items[product].heat / self._hot.highest, 6) if self._hot.highest else 0.0

    def _name(self, product: str) -> str:
        return self._items[product].name or product
