"""What may come next in a visit: sources kept up with every act, and what the ranker of visits sees of each candidate.

Sources of products, each with a score and a place of its own: where the visit's latest products lead (directed, by distance;
the last one alone; what followed it at once; the way back), what is seen together, what is acted on, what the most similar
visits before had (VSTAN: Ludewig and others, 2021), what is looked at in these hours and this day, and what the visit itself
has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from models.recommender.habits import FADING, WEIGHT, Habits
from models.recommender.items import TRUST, Floats, Items, Numbers
from models.recommender.transitions import ACTED, BACK, FORWARD, NEXT, ONE, TransitionCounts
from models.recommender.visits import EndedVisits, Visit

PATHS = ("forward", "forward of the last", "next", "back", "together", "acted on")
SOURCES = (*PATHS, "neighbours", "hour", "day")
"""Sources with a score; what the visit has seen is one, too, by how long ago."""

TOGETHER = PATHS.index("together")

MEANS = {
    **{name: f"log of the score by {name}" for name in SOURCES},
    **{f"place by {name}": "1 over its place there, 0 if it has none" for name in SOURCES},
    "last": "1 for the product of the latest act",
    "seen": "1 for the products of the visit",
    "steps since": "log of the acts since it was seen",
    "times": "log of its looks in this visit",
    "taken": "1 for what was put in a cart or bought in this visit",
    "looks": "log of its looks by everybody",
    "month": "log of its looks of the last month",
    "length": "log of the number of acts of the visit",
    "likeness": "log of how like the most similar visits are",
    "seen of many": "log of the number of products of the visit, for those that it has seen",
    "member's habit": "log of the member's habit score above the least; 0 for what they never bought",
}
"""Every feature in its order."""

FEATURES = tuple(MEANS)
LAST = FEATURES.index("last")

CANDIDATES = 40
LATEST = 5
"""Products of the visit whose paths are followed."""

STEP_BACK = 0.6
"""Weight of a product against the one after it."""

PRIOR = 5.0
"""Steps and looks that every product starts with, so that one shopper's path does not rule."""

COMPARED = 4
"""Products of the visit by which similar visits are found."""

SIMILAR = 60
"""Most similar visits whose products are proposed."""

AGE, LATEST_SHARED, DISTANCE = 4.9, 2.0, 3.62
"""VSTAN's decays: by age in this visit, by the age of the latest shared product, by distance in the other visit."""

HOT = 12
"""Products of most heat that are proposed, by hour and by day."""

HISTORY = 10
"""Products of a member's history that are proposed."""

LEAST_HABIT = 0.001
"""Habit score below which a product counts as never bought."""

SHARES = np.array([*[1.0] * (len(PATHS) + 1), 0.3, 0.3])
"""Weight of each source in the choice of candidates."""

RECIPROCALS: Floats = 1.0 / np.arange(1.0, 4096.0)


@dataclass(slots=True)
class VisitCandidateSet:
    """Candidates by their numbers in :class:`Looks`, ascending, with a row of features each.

    ``scores``: by source and candidate. ``seen``: the places of the visit's products, the latest first. ``leads``: the numbers
    of the products of the visit whose paths were followed.
    """

    numbers: Numbers
    rows: Floats
    scores: Floats
    seen: Numbers
    leads: list[int]

    def place_of(self, number: int | None) -> int | None:
        """Return where a product is among the candidates."""
        if number is None:
            return None
        place = int(np.searchsorted(self.numbers, number))
        return place if place < len(self.numbers) and self.numbers[place] == number else None


class VisitCandidates:
    def __init__(self, items: Items, transitions: TransitionCounts, ended: EndedVisits) -> None:
        self._items = items
        self._transitions = transitions
        self._ended = ended
        self._weights: Floats = np.zeros(0)  # of products, all 0 between two calls
        self._shared: Floats = np.zeros(0)

    def offer(self, visit: Visit, now: int, habits: Habits | None = None, history: Sequence[str] = ()) -> VisitCandidateSet:
        """Return the candidates for a visit with at least one product.

        ``habits``: the member's, whose strongest products are ``history``.
        """
        looks = self._transitions.looks
        seen = np.array([looks.numbers[product] for product in visit.latest(len(visit.products))], np.int64)
        leads = seen[:LATEST].tolist()
        others, parts = self._paths(leads)
        similar, weights, likeness = self._similar_visits(seen)
        hot = [number for leaders in looks.hottest[:2] for number in leaders.ranked()[:HOT]]
        known = [looks.numbers[product] for product in history if product in looks.numbers]
        own = np.concatenate((seen, np.array(hot + known, np.int64)))
        of_similar = np.zeros((len(PATHS) + 1, len(similar) + len(own)))
        of_similar[-1, : len(similar)] = weights
        numbers, scores = summed(np.concatenate((*others, similar, own)), np.concatenate((*parts, of_similar), axis=1))
        counts = looks.count[numbers]
        scores[TOGETHER] /= np.sqrt(counts + PRIOR)
        heats = looks.heats(numbers, now)
        scores = np.concatenate((scores, heats[:2]))
        if len(numbers) > CANDIDATES:
            chosen = self._strongest(numbers, scores, np.concatenate((seen, np.array(known, np.int64))))
            numbers, scores, heats, counts = numbers[chosen], scores[:, chosen], heats[:, chosen], counts[chosen]
        places = np.searchsorted(numbers, seen)
        rows = self._features(visit, scores, places)
        rows[LAST + 5] = np.log(counts + 1) - 3
        rows[LAST + 6] = np.log(heats[2] + 0.5) - 2
        rows[LAST + 8] = likeness
        rows[LAST + 10] = self._habits(numbers, habits)
        return VisitCandidateSet(numbers, np.ascontiguousarray(rows.T), scores, places, leads)

    def _paths(self, leads: Sequence[int]) -> tuple[list[Numbers], list[Floats]]:
        """Return where each of the latest products leads, and how strongly by each of :data:`PATHS`."""
        others: list[Numbers] = []
        parts: list[Floats] = []
        for age, number in enumerate(leads):
            paths = self._transitions.paths.get(number)
            if paths is not None:
                size, totals, weight = len(paths), paths.totals, STEP_BACK**age
                looks = float(self._transitions.looks.count[number]) + PRIOR
                scales = np.zeros((len(PATHS) + 1, 4))
                scales[0, FORWARD] = weight / (totals[FORWARD] + PRIOR * ONE)
                if not age:
                    scales[1, FORWARD] = scales[0, FORWARD]
                    scales[2, NEXT] = 1.0 / (totals[NEXT] + PRIOR)
                scales[3, BACK] = weight / (totals[BACK] + PRIOR * ONE)
                scales[4, FORWARD] = scales[4, BACK] = weight / ONE / sqrt(looks)
                scales[5, ACTED] = weight / looks
                others.append(paths.others[:size])
                parts.append(scales @ paths.counts[:, :size])
        return others, parts

    def _similar_visits(self, seen: Numbers) -> tuple[Numbers, Floats, float]:
        """Return the products of the most similar ended visits with their weights, and the log of how similar these are."""
        ended = self._ended
        visits = ended.with_products(seen[:COMPARED].tolist())
        if not len(visits):
            return np.zeros(0, np.int64), np.zeros(0), -4.0
        products, lengths = ended.products_of(visits)
        weights, shared = self._weigh(seen[:15], products)
        begins = lengths.cumsum() - lengths
        latest = np.maximum.reduceat(shared, begins)
        likeness = np.add.reduceat(weights, begins) * latest / np.sqrt(lengths)
        if len(visits) > SIMILAR:
            kept = np.zeros(len(visits), bool)
            kept[len(visits) - 1 - np.argsort(-likeness[::-1], kind="stable")[:SIMILAR]] = True
            of_kept = np.repeat(kept, lengths)
            products, shared = products[of_kept], shared[of_kept]
            lengths, likeness, latest = lengths[kept], likeness[kept], latest[kept]
            begins = lengths.cumsum() - lengths
        order = np.arange(len(products))
        place = np.maximum.reduceat(np.where(shared == np.repeat(latest, lengths), order, -1), begins)
        distance = np.abs(order - np.repeat(place, lengths))
        whole = float(likeness.sum())
        found = np.repeat(likeness / whole, lengths) * np.exp(-distance / DISTANCE) * self._rarity(products)
        found[distance == 0] = 0
        return products, found, log(whole + 0.05) - 1

    def _weigh(self, seen: Numbers, products: Numbers) -> tuple[Floats, Floats]:
        """Return how much each of the products counts as shared with a visit, and how late in the visit it was."""
        size = len(self._transitions.looks.count)
        if len(self._weights) < size:
            self._weights, self._shared = np.zeros(size), np.zeros(size)
        age = np.arange(len(seen))
        self._weights[seen] = np.exp(-age / AGE) * self._rarity(seen)
        self._shared[seen] = np.exp(-age / LATEST_SHARED)
        weights, shared = self._weights[products], self._shared[products]
        self._weights[seen] = self._shared[seen] = 0
        return weights, shared

    def _rarity(self, numbers: Numbers) -> Floats:
        """Return the inverse document frequency of products, by looks."""
        rarity: Floats = np.log((self._ended.next) / (self._transitions.looks.count[numbers] + 1) + 1.5)
        return rarity

    def _strongest(self, numbers: Numbers, scores: Floats, always: Numbers) -> Numbers:
        """Return the places of the candidates to keep: those of the visit and the member, then by the sum of their shares."""
        whole = (SHARES / (scores.max(axis=1) + 1e-12)) @ scores
        whole[np.searchsorted(numbers, always)] += 100
        most = max(CANDIDATES, len(always))
        chosen = np.argpartition(-whole, most - 1)[:most] if most < len(whole) else np.arange(len(whole))
        chosen.sort()
        return chosen

    def _features(self, visit: Visit, scores: Floats, places: Numbers) -> Floats:
        count, sources = scores.shape[1], len(SOURCES)
        rows = np.zeros((len(FEATURES), count))
        rows[: sources - 2] = np.log(scores[:-2] + 0.003)
        rows[sources - 2 : sources] = np.log(scores[-2:] + 0.1)
        order = (-scores).argsort(axis=1, kind="stable")
        order += np.arange(sources)[:, None] * count
        rows[sources:LAST].reshape(-1)[order.reshape(-1)] = np.tile(RECIPROCALS[:count], sources)
        rows[sources:LAST] *= scores > 0
        names = visit.latest(len(visit.products))
        rows[LAST, places[0]] = 1
        rows[LAST + 1, places] = 1
        rows[LAST + 9, places] = log(len(names))
        rows[LAST + 2, places] = np.log([visit.acts - visit.steps[name] + 1 for name in names])
        rows[LAST + 3, places] = np.log([visit.times[name] for name in names])
        rows[LAST + 4, places] = [visit.products[name] in ("cart", "buy") for name in names]
        rows[LAST + 7] = log(visit.acts) - 1
        return rows

    def _habits(self, numbers: Numbers, habits: Habits | None) -> Floats | float:
        if habits is None:
            return 0.0
        found = np.zeros(len(numbers))
        names = self._transitions.looks.products
        known = [(at, place) for at, n in enumerate(numbers.tolist()) if (place := habits.places.get(names[n])) is not None]
        if known:
            at, places = np.array(known).T
            rates = self._items.return_rates(habits.numbers[places]) ** TRUST
            scores = habits.table[WEIGHT, places] * FADING**habits.run * rates
            found[at] = np.maximum(np.log(scores / LEAST_HABIT), 0) / 3
        return found


def summed(numbers: Numbers, table: Floats) -> tuple[Numbers, Floats]:
    """Return the distinct numbers in ascending order, with the sums of their columns.

    >>> numbers, sums = summed(np.array([7, 3, 7]), np.array([[1.0, 2.0, 3.0]]))
    >>> numbers.tolist(), sums.tolist()
    ([3, 7], [[2.0, 4.0]])
    """
    order = numbers.argsort(kind="stable")
    ascending = numbers[order]
    new = np.ones(len(ascending), bool)
    np.not_equal(ascending[1:], ascending[:-1], out=new[1:])
    begins = np.flatnonzero(new)
    return ascending[begins], np.add.reduceat(table[:, order], begins, axis=1)
