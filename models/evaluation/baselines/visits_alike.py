"""Visits alike: V-SKNN, STAN and VSTAN, and what they are joined with.

Written after the published code of session-rec (Ludewig and others, 2020). Ties between visits go to the later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log10

import numpy as np

from models.evaluation.baselines.visit_index import Found, VisitIndex, summed
from models.evaluation.facts import Floats, Numbers
from models.evaluation.ranking import joined, top_of

DAY = 86_400_000


class VisitMethod:
    """A method that learns whole visits and lists what may come next in one."""

    def begin(self, width: int) -> None:
        """Know nothing of a shop with so many products."""

    def learn(self, products: Sequence[int], at: int) -> None:
        """Learn a visit that has ended: its products in order, and when its last act was."""

    def settle(self) -> None:
        """Fit what cannot be kept up visit by visit."""

    def list_for(self, products: Sequence[int], at: int, popularity: Numbers, count: int) -> list[int]:
        """Return what may come next after these products, at this time."""
        raise NotImplementedError


class Neighbours(VisitMethod):
    """What V-SKNN, STAN and VSTAN have in common: ``nearest`` of the latest ``sampled`` visits that share a product."""

    def __init__(self, nearest: int, sampled: int) -> None:
        self.nearest = nearest
        self.sampled = sampled

    def begin(self, width: int) -> None:
        self.index = VisitIndex(width)

    def learn(self, products: Sequence[int], at: int) -> None:
        self.index.add(products, at)

    def list_for(self, products: Sequence[int], at: int, popularity: Numbers, count: int) -> list[int]:
        places = {product: place for place, product in enumerate(products, 1)}
        own = sorted(places, key=places.__getitem__)  # distinct, by the last place of each
        steps = np.array([places[product] for product in own], np.int64)
        weights = self.weights(steps, len(products))
        found = self.index.sharing(own, weights, self.sampled)
        alike = self.likeness(found, weights, at)
        order = np.lexsort((-found.visits, -alike.astype(np.float32)))[: self.nearest]
        found, alike = found.at(order), alike[order]
        items, last, sizes = self.index.held(found.visits)
        values = np.repeat(alike * self.worth(steps[found.latest - 1], len(products)), sizes)
        values = values * self.closeness(last - np.repeat(found.star, sizes)) * self.rarity(items)
        return top_of(*positive(*summed(items, values)), popularity, count)

    def weights(self, places: Numbers, length: int) -> Floats:
        """Return what the product in each place of the visit at hand counts in a comparison."""
        raise NotImplementedError

    def likeness(self, found: Found, weights: Floats, at: int) -> Floats:
        """Return how like each visit found is."""
        raise NotImplementedError

    def worth(self, places: Numbers, length: int) -> Floats:
        """Return what a neighbour counts whose latest common product is in each of these places of the visit at hand."""
        return np.ones(len(places))

    def closeness(self, apart: Numbers) -> Floats:
        """Return what a neighbour's product counts that is so far from the one in common."""
        return np.ones(len(apart))

    def rarity(self, items: Numbers) -> Floats:
        """Return what a product counts for being in few visits."""
        return np.ones(len(items))

    def idf(self, items: Numbers, weight: float) -> Floats:
        distinct, row = np.unique(items, return_inverse=True)
        rare: Floats = 1 + weight * np.log(max(1, self.index.count) / np.maximum(1, self.index.frequency(distinct)))
        return rare[row]


WEIGHTINGS = ("same", "div", "linear", "log", "quadratic")


class VSknn(Neighbours):
    """V-SKNN: the visit's later products count more, in the comparison (``weighting``) and in the score (``scoring``)."""

    def __init__(
        self, nearest: int = 100, sampled: int = 500, weighting: str = "div", scoring: str = "div", idf: float = 0.0
    ) -> None:
        super().__init__(nearest, sampled)
        self.weighting = weighting
        self.scoring = scoring
        self.rare = idf

    def weights(self, places: Numbers, length: int) -> Floats:
        return np.array([weighting(self.weighting, place, length) for place in places.tolist()])

    def likeness(self, found: Found, weights: Floats, at: int) -> Floats:
        likeness: Floats = found.common / len(weights)
        return likeness

    def worth(self, places: Numbers, length: int) -> Floats:
        return np.array([scoring(self.scoring, length - place + 1) for place in range(1, length + 1)])[places - 1]

    def rarity(self, items: Numbers) -> Floats:
        return self.idf(items, self.rare)


def weighting(name: str, place: int, length: int) -> float:
    """Return what the product in a place, from 1, counts in a comparison.

    >>> [weighting(name, 3, 4) for name in WEIGHTINGS]
    [1.0, 0.75, 0.9, 2.3182290286938216, 0.5625]
    """
    match name:
        case "div":
            return place / length
        case "linear":
            return 1 - 0.1 * (length - place) if place <= 10 else 0.0
        case "log":
            return 1 / log10(length - place + 1.7)
        case "quadratic":
            return (place / length) ** 2
        case _:
            return 1.0


def scoring(name: str, step: int) -> float:
    """Return what a neighbour counts whose latest common product is so many steps from the end, from 1.

    >>> [scoring(name, 2) for name in WEIGHTINGS]
    [1.0, 0.5, 0.8, 1.7599383416902357, 0.25]
    """
    match name:
        case "div":
            return 1 / step
        case "linear":
            return 1 - 0.1 * step if step <= 100 else 0.0
        case "log":
            return 1 / log10(step + 1.7)
        case "quadratic":
            return 1 / (step * step)
        case _:
            return 1.0


class Stan(Neighbours):
    """STAN (Garg and others, 2019): a cosine with later products weighing more, and visits fading with ``days``.

    ``spread``, ``apart``: how many places a weight fades over, in the visit at hand and within a neighbour.
    """

    def __init__(
        self, nearest: int = 500, sampled: int = 1000, spread: float = 1.81, days: float = 100.0, apart: float = 0.4525
    ) -> None:
        super().__init__(nearest, sampled)
        self.spread = spread
        self.days = days
        self.apart = apart

    def weights(self, places: Numbers, length: int) -> Floats:
        fading: Floats = np.exp((places - length) / self.spread)
        return fading

    def likeness(self, found: Found, weights: Floats, at: int) -> Floats:
        cosine = found.common / (np.sqrt((weights * weights).sum()) * np.sqrt(self.index.sizes(found.visits)))
        age = np.maximum(0, at - self.index.ended(found.visits)) / DAY
        likeness: Floats = cosine * np.exp(-age / self.days)
        return likeness

    def closeness(self, apart: Numbers) -> Floats:
        close: Floats = np.exp(-np.abs(apart) / self.apart)
        return close


class Vstan(Stan):
    """VSTAN: STAN with V-SKNN's weights for the latest common product (``fading``, in places) and for rare products."""

    def __init__(
        self,
        nearest: int = 200,
        sampled: int = 5000,
        spread: float = 1.81,
        days: float = 40.0,
        apart: float = 0.905,
        fading: float = 0.905,
        idf: float = 0.0,
    ) -> None:
        super().__init__(nearest, sampled, spread, days, apart)
        self.fading = fading
        self.rare = idf

    def worth(self, places: Numbers, length: int) -> Floats:
        return np.array([exp((place - length) / self.fading) for place in places.tolist()])

    def rarity(self, items: Numbers) -> Floats:
        return self.idf(items, self.rare)


def revisited(products: Sequence[int], count: int) -> list[int]:
    """Return what the visit has seen, the latest first."""
    return list(dict.fromkeys(reversed(products)))[:count]


class Revisit(VisitMethod):
    """What the visit has seen, the latest first, and nothing else."""

    def list_for(self, products: Sequence[int], at: int, popularity: Numbers, count: int) -> list[int]:
        return revisited(products, count)


class WithRevisit(VisitMethod):
    """A method and revisit, joined by reciprocal rank."""

    def __init__(self, method: VisitMethod) -> None:
        self.method = method

    def begin(self, width: int) -> None:
        self.method.begin(width)

    def learn(self, products: Sequence[int], at: int) -> None:
        self.method.learn(products, at)

    def list_for(self, products: Sequence[int], at: int, popularity: Numbers, count: int) -> list[int]:
        lists = [self.method.list_for(products, at, popularity, count), revisited(products, count)]
        return joined(lists, popularity, count)


def positive(products: Numbers, scores: Floats) -> tuple[Numbers, Floats]:
    return products[scores > 0], scores[scores > 0]
