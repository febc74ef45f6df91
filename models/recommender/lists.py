"""The lists a storefront shows: which product in which place, with its score and its reason.

A member's list is as the ranker orders the candidates, and keeps its last places for what is new to them: companions of their
latest basket, then what is popular. A product's list is what it is bought with.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

from aggregates.value import Value
from models.recommender.candidates import Occasion
from models.recommender.co_occurrence import CoOccurrence, Neighbours
from models.recommender.items import Floats, Items
from models.recommender.offers import Offer
from models.recommender.ranker import softmax
from models.recommender.reasons import bought_before, bought_with, popular_in
from models.recommender.top_k import Leaders

LISTED = 20
PAIRED = 10
"""Places of a product's list."""

RANKED = 15  # places by the ranker alone; the rest is for what is new to a member
COMPANIONS = 3  # of those, for what goes with the latest basket


class Entry(Value):
    """``score``: on a member's list, the expected share of their next basket among all candidates; else it orders a list."""

    product: str
    name: str
    score: float
    source: str
    reason: str


class Recommendations(Value):
    """What to show a member, best first, as of their latest basket (UTC epoch milliseconds)."""

    member: str
    items: tuple[Entry, ...]
    as_of: int
    position: int


class Companion(Value):
    product: str
    name: str
    score: float
    together: int
    reason: str


class Companions(Value):
    """What a product is bought with, best first, as of its latest sale."""

    product: str
    items: tuple[Companion, ...]
    as_of: int
    position: int


class Popular(Value):
    """What to show a shopper of whom nothing is known."""

    items: tuple[Entry, ...]
    as_of: int
    position: int


class Slots:
    def __init__(self, items: Items, pairs: CoOccurrence, hot: Leaders) -> None:
        self._items = items
        self._pairs = pairs
        self._hot = hot

    def neighbours(self, basket: Sequence[str]) -> dict[str, Neighbours]:
        """The strongest neighbours of each product of a basket."""
        return {product: self._pairs.neighbours(product, PAIRED) for product in basket}

    def member(self, occasion: Occasion, offer: Offer, scores: Floats) -> list[Entry]:
        """A member's list of what they are offered, by the ranker's scores."""
        sources, order = offer.sources, (-scores).argsort(kind="stable").tolist()
        rest = order[RANKED:]
        companions = [at for at in rest if sources[at] == "companion"][:COMPANIONS]
        popular = [at for at in rest if sources[at] == "popular"]
        listed = list(dict.fromkeys((*order[:RANKED], *companions, *popular, *rest)))[:LISTED]
        shares = softmax(scores).round(6).tolist()
        return [self._entry(occasion, offer.products[at], sources[at], shares[at]) for at in listed]

    def _entry(self, occasion: Occasion, product: str, source: str, share: float) -> Entry:
        item, habits = self._items[product], occasion.habits
        place = habits.places.get(product)
        if place is not None:
            reason = bought_before(habits.habit(place))
        elif source == "companion":
            reason = bought_with(self._name(occasion.calls[product][1]))
        else:
            reason = popular_in(item.department)
        return Entry(product, item.name or product, share, source, reason)

    def product(self, product: str, neighbours: Neighbours) -> list[Companion]:
        name = self._name(product)
        return [
            Companion(other, self._name(other), round(score, 4), together, bought_with(name))
            for other, together, score in neighbours
        ]

    def popular(self) -> list[Entry]:
        return self._popular(frozenset(), LISTED)

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
