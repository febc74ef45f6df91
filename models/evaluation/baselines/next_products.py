"""What comes after one product: item-kNN and transitions, by the last product of the visit; and what is popular."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from models.evaluation.baselines.visit_index import VisitIndex, summed
from models.evaluation.baselines.visits_alike import VisitMethod
from models.evaluation.facts import Numbers
from models.evaluation.ranking import top, top_of

MOST_VISITS = 10_000
"""Visits with a product that are looked at, the latest."""


class PopularVisits(VisitMethod):
    """G-Pop: the products with the most acts."""

    def list_for(self, products: Sequence[int], at: int, popularity: Numbers, count: int) -> list[int]:
        return top(popularity.astype(np.float64), popularity, count)


class ItemKnnVisits(VisitMethod):
    """The cosine of products over visits, to the last product, which is not like itself."""

    def begin(self, width: int) -> None:
        self.index = VisitIndex(width)

    def learn(self, products: Sequence[int], at: int) -> None:
        self.index.add(products, at)

    def list_for(self, products: Sequence[int], at: int, popularity: Numbers, count: int) -> list[int]:
        last = products[-1]
        found = self.index.sharing([last], np.ones(1), MOST_VISITS)
        items, _, _ = self.index.held(found.visits)
        others, together = summed(items, np.ones(len(items)))
        others, together = others[others != last], together[others != last]
        mine = max(1, int(self.index.frequency(np.array([last]))[0]))
        return top_of(others, together / np.sqrt(mine * self.index.frequency(others)), popularity, count)


class Transitions(VisitMethod):
    """How often each product came right after the last one."""

    def begin(self, width: int) -> None:
        self.after: list[dict[int, int]] = [{} for _ in range(width)]

    def learn(self, products: Sequence[int], at: int) -> None:
        for one, other in pairwise(products):
            counts = self.after[one]
            counts[other] = counts.get(other, 0) + 1

    def list_for(self, products: Sequence[int], at: int, popularity: Numbers, count: int) -> list[int]:
        counts = self.after[products[-1]]
        others = np.fromiter(counts, np.int64, len(counts))
        return top_of(others, np.fromiter(counts.values(), np.float64, len(counts)), popularity, count)
