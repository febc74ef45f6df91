"""What a member's list is chosen from: a table of sources, each proposing products with how strongly it does.

A source's strength is a feature, of its name, of every candidate it speaks of, whoever proposed it first. A further source is
one more row of the table and one more feature.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log1p
from typing import TypeAlias

from models.recommender.co_occurrence import Neighbours
from models.recommender.features import AT, FeatureMaker
from models.recommender.habits import Habits
from models.recommender.items import Items
from models.recommender.offers import STORED, Offer
from models.recommender.repeat import RepeatBuyers
from models.recommender.top_k import Leaders

REPEATS = 30
"""Candidates from what the member bought before."""

COMPANIONS = POPULAR = 5
"""Candidates from what is new to the member; what is popular fills a list, too, when there is little else."""


@dataclass(frozen=True)
class Occasion:
    """What a list is made on: the member's latest basket, by its products' neighbours, and when that was."""

    member: str
    habits: Habits
    neighbours: Mapping[str, Neighbours]
    at: int

    @cached_property
    def calls(self) -> dict[str, tuple[float, str]]:
        """What the basket calls for: by product how strongly, and which of the basket's calls most for it."""
        calls: dict[str, tuple[float, str]] = {}
        for mine, strongest in self.neighbours.items():
            for other, _, score in strongest:
                if other not in calls or score > calls[other][0]:
                    calls[other] = score, mine
        return calls


Proposals: TypeAlias = Iterable[tuple[str, float]]


@dataclass(frozen=True)
class Source:
    """``propose``: products with their strength, the strongest first; ``most``: how many it may add to the candidates.

    ``told``: whether it also speaks of what others proposed; ``again``: whether it may add what the member bought before.
    """

    name: str
    most: int
    propose: Callable[[Occasion], Proposals]
    told: bool = False
    again: bool = False


class Candidates:
    def __init__(self, items: Items, repeat: RepeatBuyers, hot: Leaders, listed: int) -> None:
        self._items = items
        self._repeat = repeat
        self._hot = hot
        self._listed = listed
        self._features = FeatureMaker(items)
        self.sources = (
            Source("companion", COMPANIONS, self._companions, told=True),
            Source("popular", POPULAR, self._popular),
        )

    def offer(self, occasion: Occasion, out: Collection[str] = ()) -> Offer:
        """What may be shown to a member; ``out``: what may not."""
        items, habits = self._items, occasion.habits
        products = [product for product in self._repeat.ranked(occasion.member, REPEATS) if product not in out]
        sources = ["repeat"] * len(products)
        row = {product: at for at, product in enumerate(products)}
        told: list[tuple[int, int, float]] = []
        for source in self.sources:
            column, left = AT[source.name], source.most
            if source is self.sources[-1]:
                left = max(left, self._listed - len(products))
            for product, strength in source.propose(occasion):
                place = row.get(product)
                if place is None:
                    if not left or (product in habits.places and not source.again):
                        continue
                    if product in out or items[product].retired:
                        continue
                    left -= 1
                    place = row[product] = len(products)
                    products.append(product)
                    sources.append(source.name)
                told.append((column, place, strength))
                if not left and not source.told:
                    break
        numbers = items.numbers_of(products)
        made = self._features.make(habits, products, numbers, occasion.at)
        for column, place, strength in told:
            made[column, place] = strength
        return Offer(products, sources, made.T.astype(STORED, order="C"), numbers)

    def _companions(self, occasion: Occasion) -> Proposals:
        """What the latest basket calls for."""
        strongest = sorted((-score, other) for other, (score, _) in occasion.calls.items())
        return ((other, log1p(-score)) for score, other in strongest)

    def _popular(self, _: Occasion) -> Proposals:
        """What sells now."""
        highest = self._hot.highest
        return ((product, self._items[product].heat / highest) for product in self._hot.ranked())
