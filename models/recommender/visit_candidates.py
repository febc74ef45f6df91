"""What may come next in a visit: sources kept up with every act, and what the ranker of visits sees of each candidate.

Sources of products, each with a score: where the visit's latest products lead (directed, by distance; the last one alone; what
followed it at once; the way back), what is seen together, what is acted on, what is looked at in these hours and this day, and
what the visit itself has seen.

A list is made for every look that is learned from, so it is made in few steps over small arrays: one table with a row for each
product that a source proposes, sorted by product, and summed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from models.recommender.habits import FADING, WEIGHT, Habits
from models.recommender.items import TRUST, Floats, Items, Numbers
from models.recommender.transitions import ACTED, BACK, BOTH, FORWARD, NEXT, ONE, Paths, TransitionCounts, heats
from models.recommender.visits import Visit

PATHS = ("forward", "next", "back", "acted on", "together", "forward of the last")
SOURCES = (*PATHS, "hour", "day")
"""Sources with a score, the first five as the paths' tables have them. What the visit has seen is one, too, by how long ago."""

TOGETHER, OF_LAST, HEATS = SOURCES.index("together"), SOURCES.index("forward of the last"), len(PATHS)

MEANS = {
    **{f"share by {name}": "the score by it over the highest" for name in SOURCES},
    **{name: f"log of the score by {name}" for name in SOURCES},
    "last": "1 for the product of the latest act",
    "seen": "1 for the products of the visit",
    "steps since": "log of the acts since it was seen",
    "times": "log of its looks in this visit",
    "taken": "1 for what was put in a cart or bought in this visit",
    "seen of many": "log of the number of products of the visit, for those that it has seen",
    "member's habit": "log of the member's habit score above the least; 0 for what they never bought",
    "looks": "log of its looks by everybody",
    "month": "log of its looks of the last month",
    "length": "log of the number of acts of the visit",
}
"""Every feature in its order."""

FEATURES = tuple(MEANS)
LAST, LOOKS, LENGTH = FEATURES.index("last"), FEATURES.index("looks"), FEATURES.index("length")
OWN = LOOKS - LAST
"""Features of what the visit has seen and of what the member has bought."""

VISIBLE = (30, 16, 10, 8, 8)
"""Paths that are followed from the visit's latest products, the last one first."""

STEP_BACK = 0.6
"""Weight of a product against the one after it."""

PRIOR = 5.0
"""Steps and looks that every product starts with, so that one shopper's path does not rule."""

HOT = 8
"""Products of most heat that are proposed, by hour and by day."""

HISTORY = 10
"""Products of a member's history that are proposed."""

LEAST_HABIT = 0.001
"""Habit score below which a product counts as never bought."""

FLOORS: Floats = np.array([*[0.003] * len(PATHS), 0.1, 0.1])
"""What is added to a score before its log is taken."""


@dataclass(slots=True)
class VisitCandidateSet:
    """Candidates by their numbers in :class:`Looks`, ascending, with a row of features each.

    ``scores``: by candidate and source. ``seen``: the places of the visit's products, the latest first. ``leads``: the numbers
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
        place = int(self.numbers.searchsorted(number))
        return place if place < len(self.numbers) and self.numbers[place] == number else None


class VisitCandidates:
    def __init__(self, items: Items, transitions: TransitionCounts) -> None:
        self._items = items
        self._transitions = transitions

    def offer(self, visit: Visit, now: int, habits: Habits | None = None, history: Sequence[str] = ()) -> VisitCandidateSet:
        """Return the candidates for a visit with at least one product.

        ``habits``: the member's, whose strongest products are ``history``.
        """
        looks = self._transitions.looks
        names = visit.latest(len(visit.products))
        seen = [looks.numbers[name] for name in names]
        followed = [
            (age, paths) for age, number in enumerate(seen[: len(VISIBLE)]) if (paths := self._transitions.paths.get(number))
        ]
        own = [*seen, *self._hot(), *(looks.numbers[product] for product in history if product in looks.numbers)]
        table = self._table(seen, followed, len(own))
        at = len(table) - len(own)
        table[at:, 0] = own
        table[at : at + len(seen), 1 + len(SOURCES) : OWN + len(SOURCES)] = of_seen(visit, names)
        numbers, merged = summed(table)
        scores, rows = merged[:, 1 : 1 + len(SOURCES)], np.empty((len(numbers), len(FEATURES)))
        counted = looks.table[numbers]
        heat = heats(counted[:, 1:], now)
        scores[:, TOGETHER] /= np.sqrt(counted[:, 0] + PRIOR)
        scores[:, HEATS:] = heat[:, :2]
        np.divide(scores, scores.max(axis=0) + 1e-12, out=rows[:, : len(SOURCES)])
        np.log(scores + FLOORS, out=rows[:, len(SOURCES) : LAST])
        rows[:, LAST:LOOKS] = merged[:, 1 + len(SOURCES) :]
        counted[:, 0] += 1
        counted[:, 1] = heat[:, 2] + 0.5
        np.log(counted[:, :2], out=rows[:, LOOKS:LENGTH])
        rows[:, LENGTH] = log(visit.acts) - 1
        if habits is not None:
            rows[:, LOOKS - 1] = self._habits(numbers, habits)
        return VisitCandidateSet(numbers, rows, scores, numbers.searchsorted(seen), seen[: len(VISIBLE)])

    def may_offer(self, visit: Visit, product: str, history: Sequence[str]) -> bool:
        """Return whether a product would be among the candidates."""
        if product in visit.products or product in history:
            return True
        numbers = self._transitions.looks.numbers
        number = numbers.get(product)
        if number is None:
            return False
        for age, name in enumerate(visit.latest(len(VISIBLE))):
            paths = self._transitions.paths.get(numbers[name])
            if paths is not None and paths.places.get(number, VISIBLE[age]) < VISIBLE[age]:
                return True
        return number in self._hot()

    def _hot(self) -> list[int]:
        hour, day, _ = self._transitions.looks.hottest
        return [*hour.ranked()[:HOT], *day.ranked()[:HOT]]

    def _table(self, seen: Sequence[int], followed: Sequence[tuple[int, Paths]], more: int) -> Floats:
        """Return a row for each path that is followed, with scaled scores, and so many empty rows more."""
        sizes = [min(len(paths), VISIBLE[age]) for age, paths in followed]
        table = np.zeros((sum(sizes) + more, 1 + len(SOURCES) + OWN))
        at = 0
        for (age, paths), size in zip(followed, sizes, strict=True):
            part = table[at : at + size, : BOTH + 1]
            looks = float(self._transitions.looks.table[seen[age], 0]) + PRIOR
            np.multiply(paths.table[:size], scales(paths.totals, STEP_BACK**age, looks, age == 0), out=part)
            if not age:
                table[:size, 1 + OF_LAST] = part[:, FORWARD]
            at += size
        return table

    def _habits(self, numbers: Numbers, habits: Habits) -> Floats:
        found = np.zeros(len(numbers))
        names = self._transitions.looks.products
        known = [(at, place) for at, n in enumerate(numbers.tolist()) if (place := habits.places.get(names[n])) is not None]
        if known:
            at, places = np.array(known).T
            rates = self._items.return_rates(habits.numbers[places]) ** TRUST
            scores = habits.table[WEIGHT, places] * FADING**habits.run * rates
            found[at] = np.maximum(np.log(scores / LEAST_HABIT), 0) / 3
        return found


def of_seen(visit: Visit, names: Sequence[str]) -> list[tuple[float, ...]]:
    """Return the features of a visit's products, the latest first."""
    many, acts, products = log(len(names)), visit.acts + 1, visit.products
    return [
        (
            float(not age),
            1.0,
            log(acts - visit.steps[name]),
            log(visit.times[name]),
            float(products[name] in ("cart", "buy")),
            many,
        )
        for age, name in enumerate(names)
    ]


def scales(totals: Sequence[float], weight: float, looks: float, last: bool) -> list[float]:
    """Return what the columns of a product's paths are multiplied by."""
    found = [1.0] * (BOTH + 1)
    found[FORWARD] = weight / (totals[FORWARD] + PRIOR * ONE)
    found[NEXT] = 1.0 / (totals[NEXT] + PRIOR) if last else 0.0
    found[BACK] = weight / (totals[BACK] + PRIOR * ONE)
    found[ACTED] = weight / looks
    found[BOTH] = weight / ONE / sqrt(looks)
    return found


def summed(table: Floats) -> tuple[Numbers, Floats]:
    """Return the distinct numbers of the first column in ascending order, with the sums of their rows.

    >>> numbers, sums = summed(np.array([[7.0, 1.0], [3.0, 2.0], [7.0, 3.0]]))
    >>> numbers.tolist(), sums[:, 1].tolist()
    ([3, 7], [2.0, 4.0])
    """
    table = table[table[:, 0].argsort(kind="stable")]
    keys = table[:, 0]
    new = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    begins = new.nonzero()[0]
    return keys[begins].astype(np.int64), np.add.reduceat(table, begins, axis=0)
