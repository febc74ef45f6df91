"""What a member's list is chosen from: candidates. A table of sources proposes them, each with a strength.

A source's strength is a feature of every candidate that it names, also if another source proposed that first. What the member
bought before is no row of the table: :meth:`Candidates.offer` takes it from the habits. A further source is one more row of the
table and one more feature. Nothing is hidden here: what a slot must not show is left out after ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log, log1p
from typing import TypeAlias

import numpy as np

from aggregates.delta import Delta
from models.recommender.co_occurrence import CoOccurrence, Neighbours
from models.recommender.features import AT, FeatureMaker
from models.recommender.habits import Habits, RepeatBuyers
from models.recommender.items import HOUR, Floats, Items, Moment, Numbers
from models.recommender.ranker import AdaGrad
from models.recommender.top_k import Leaders

REPEATS = 60
"""Candidates from what the member bought before."""

COMPANIONS = 5
"""Candidates that go with the latest basket and are new to the member."""

POPULAR = 20
"""Candidates from what sells now that are new to the member."""

Proposals: TypeAlias = Iterable[tuple[str, float]]


@dataclass(frozen=True)
class Occasion:
    """What a list is made for: a member with the neighbours of their latest basket, and the moment it is read."""

    member: str
    habits: Habits
    neighbours: Mapping[str, Neighbours]
    moment: Moment

    @cached_property
    def calls(self) -> dict[str, tuple[float, str]]:
        """What the basket suggests: by product how strongly, and which product of the basket suggests it most."""
        calls: dict[str, tuple[float, str]] = {}
        for mine, strongest in self.neighbours.items():
            for other, _, score in strongest:
                if other not in calls or score > calls[other][0]:
                    calls[other] = score, mine
        return calls


@dataclass(slots=True)
class CandidateSet:
    """Candidates. ``sources``: which source proposed each first. ``rows``: their features. ``numbers``: their columns."""

    products: list[str]
    sources: list[str]
    rows: Floats
    numbers: Numbers

    def of(self, source: str) -> list[str]:
        """Return what a source proposed, in its own order."""
        return [product for product, by in zip(self.products, self.sources, strict=True) if by == source]


@dataclass(frozen=True)
class CandidateSource:
    """``propose`` returns products with their strength, of which ``most`` may become candidates.

    Those that the member knows come first, in any order; of the others the strongest comes first.
    """

    name: str
    most: int
    propose: Callable[[Occasion], Proposals]


class Candidates:
    """``repeats``, ``companions``, ``popular``: how many candidates each source may propose."""

    def __init__(
        self,
        items: Items,
        repeat: RepeatBuyers,
        pairs: CoOccurrence,
        hot: Leaders[str],
        repeats: int = REPEATS,
        companions: int = COMPANIONS,
        popular: int = POPULAR,
    ) -> None:
        self._items = items
        self._repeats = repeats
        self._repeat = repeat
        self._pairs = pairs
        self._hot = hot
        self._features = FeatureMaker(items)
        self.size = BasketSize()
        self.sources = (
            CandidateSource("companion", companions, self._companions),
            CandidateSource("popular", popular, self._popular),
        )

    def occasion(self, member: str, moment: Moment, basket: Sequence[str] | None = None) -> Occasion:
        """Return what is known of a member who has bought before. ``basket``: in the place of the latest one."""
        habits = self._repeat.members[member]
        products = habits.latest_basket() if basket is None else basket
        return Occasion(member, habits, {product: self._pairs.strongest(product) for product in products}, moment)

    def offer(self, occasion: Occasion) -> CandidateSet:
        """Return what a member's list is chosen from."""
        items, known, gone = self._items, occasion.habits.places, self._items.gone
        habits = occasion.habits
        places = self._repeat.strongest(habits, self._repeats)
        products = [habits.products[place] for place in places.tolist()]
        sources = ["repeat"] * len(products)
        row = {product: at for at, product in enumerate(products)}
        strengths: list[tuple[int, int, float]] = []  # column, row, strength
        for source in self.sources:
            column, left = AT[source.name], source.most
            for product, strength in source.propose(occasion):
                at = row.get(product)
                if at is None:
                    if not left or product in known or product in gone:
                        continue
                    left -= 1
                    at = row[product] = len(products)
                    products.append(product)
                    sources.append(source.name)
                strengths.append((column, at, strength))
                if not left:
                    break
        numbers = np.concatenate((habits.numbers[places], items.numbers_of(products[len(places) :])))
        expected = self.size.predict_one(habits, occasion.moment)
        made = self._features.make(habits, places, numbers, occasion.moment, expected)
        if strengths:
            columns, rows, values = zip(*strengths, strict=True)
            made[columns, rows] = values
        return CandidateSet(products, sources, np.ascontiguousarray(made.T), numbers)

    def _companions(self, occasion: Occasion) -> Proposals:
        """Return what the latest basket suggests."""
        known, calls = occasion.habits.places, occasion.calls
        yield from ((other, log1p(score)) for other, (score, _) in calls.items() if other in known)
        new = sorted((-score, other) for other, (score, _) in calls.items() if other not in known)
        yield from ((other, log1p(-score)) for score, other in new)

    def _popular(self, _: Occasion) -> Proposals:
        """Return what sells now."""
        return self._hot.shares()


class BasketSize:
    """Predicts the log of the size of a member's next basket: an online linear regression.

    >>> size, now = BasketSize(), Moment(0, 0, 0, 0, 0, (0, 7))
    >>> ann = Habits(); ann.size, ann.usual = 3, 1.0
    >>> size.predict_one(ann, now)
    1.0
    """

    KEY, FIELD = "ranker", ".basket size"
    LONGEST = 5.0

    def __init__(self) -> None:
        self._weights = AdaGrad(np.zeros(14), rate=0.05, start=1.0)
        self._weights.values[1] = 1.0  # the member's usual size
        self._changed = False

    def predict_one(self, habits: Habits, moment: Moment) -> float:
        return min(max(float(self._row(habits, moment) @ self._weights.values), 0.0), self.LONGEST)

    def learn_one(self, habits: Habits, moment: Moment, count: int) -> None:
        """Learn from a basket, before it is added to the member's habits."""
        row = self._row(habits, moment)
        self._weights.step(row * (row @ self._weights.values - log(count)))
        self._changed = True

    def dump(self, delta: Delta) -> None:
        if self._changed:
            delta.fields[self.KEY][self.FIELD] = self._weights.dump()
            self._changed = False

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        if text := maps.get(self.KEY, {}).get(self.FIELD):
            self._weights.load(text)

    def _row(self, habits: Habits, moment: Moment) -> Floats:
        row = np.zeros(14)
        since = max(moment.at - habits.last, 0) / HOUR
        numbers: Sequence[float] = (1.0, habits.usual, log(habits.size), log1p(min(since, 60 * 24)) - 4, habits.baskets < 4)
        row[:5] = numbers
        row[5] = moment.weekday > 4
        row[6 + moment.hour_of_day // 3] = 1.0
        return row
