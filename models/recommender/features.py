"""What the ranker sees of a candidate: named once, here, and made for all candidates of a list together.

Each is a number of about −7 to 7, so none needs scaling. Waiting is counted to the member's *next* visit: to their latest one,
and their usual pace on top. What tells of purchases is 0 where there are none, but for ``habit``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, log1p

import numpy as np

from models.recommender.habits import DAY, LAST, SEEN, WEIGHT, Habits
from models.recommender.items import (
    BUYERS,
    ERA,
    GAPS,
    HALF_LIFE,
    HEAT,
    RETURNS,
    STAPLE,
    SURGE,
    TRUST,
    WEEK,
    Floats,
    Items,
    Numbers,
)
from models.recommender.repeat import FADING, QUICK

MEANS = {
    "habit": "log of the habit score: faded purchases × return rate",
    "purchases": "log of the member's purchases of it",
    "recent": "log of the purchases that fade fast",
    "baskets since": "log of the baskets since the last purchase",
    "days since": "log of the days from the last purchase to the latest visit",
    "small baskets": "log of the mean share of the baskets that held it",
    "due": "from the third purchase on: log of the wait over the mean interval",
    "regular": "1 from the third purchase on",
    "return rate": "log of the product's returns per buyer",
    "buyers": "log of the product's buyers",
    "heat": "log of the product's purchases of late",
    "trend": "log of its last week over its last month",
    "interval": "log of the product's mean days between purchases",
    "overdue": "log of the wait over the product's interval",
    "staple": "1 for what is bought on an errand, such as fuel",
    "category habit": "log of the faded purchases of its category besides",
    "category since": "log of the baskets since its category was bought",
    "basket size": "log of the size of the latest basket",
    "baskets": "log of the member's number of baskets",
    "companion": "log of how strongly the latest basket calls for it",
    "popular": "heat against the hottest, if it was proposed for it",
}
"""Every feature in its order, with what it is: of the habit, the product, the category, the context, and of the sources."""

FEATURES = tuple(MEANS)
AT = {name: column for column, name in enumerate(FEATURES)}

FLOOR = -7.0
"""``habit`` of what was never bought, and the least of what was."""

USUAL_GAP, TRIED = 2.5, 5.0
"""A product's interval before anybody came back for it (log of about 11 days), and how many returns that is worth."""

LATE = 60.0  # baskets after which a category counts as never bought
PRODUCT, CATEGORY, CONTEXT, SOURCES = (AT[name] for name in ("return rate", "category habit", "basket size", "companion"))


class FeatureMaker:
    """Makes features a row each and a candidate a column, the sources' left 0."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def make(self, habits: Habits, products: Sequence[str], numbers: Numbers, at: int) -> Floats:
        """Of candidates, which are at these ``numbers`` of the columns of items."""
        found = np.array([habits.places.get(product, -1) for product in products], np.int64)
        known = np.flatnonzero(found >= 0)
        places = found[known]
        made = np.zeros((len(FEATURES), len(products)))
        made[0] = FLOOR
        made[:PRODUCT, known] = self._of_habits(habits, places, at)
        made[PRODUCT:CATEGORY] = self._of_products(numbers, at)
        wait = np.log1p(np.maximum(at - habits.table[LAST, places], 0) / DAY + habits.pace)
        made[AT["overdue"], known] = np.minimum(np.maximum(wait - USUAL_GAP - made[AT["interval"], known], -3), 3)
        made[CATEGORY:CONTEXT] = self._of_categories(habits, known, places, numbers)
        made[CONTEXT] = log(habits.size) - 2
        made[CONTEXT + 1] = log1p(min(habits.baskets, 200)) - 3
        return made

    def _of_habits(self, habits: Habits, places: Numbers, at: int) -> Floats:
        times, weight, recent, small, first, last, seen = habits.table[:, places]
        score = weight * FADING**habits.run * self._items.return_rates(habits.numbers[places]) ** TRUST
        days = np.maximum(at - last, 0) / DAY
        interval = (last - first) / DAY / np.maximum(times - 1, 1)
        made = np.array(
            [
                np.maximum(score, exp(FLOOR)),
                times,
                recent * QUICK**habits.run + 0.01,
                habits.run - seen + 1,
                days + 1,
                small / times + 0.01,
                (days + habits.pace + 0.5) / (interval + 0.5),
                times,
            ]
        )
        np.log(made, out=made)
        made[7] = times > 2
        made[6] = np.minimum(np.maximum(made[6], -3), 3) * made[7]
        return made

    def _of_products(self, numbers: Numbers, at: int) -> Floats:
        items = self._items
        told = items.columns[:, numbers]
        heat = told[HEAT] * 2.0 ** (((items.landmark or 0) - at) / HALF_LIFE)
        surge = told[SURGE] * 2.0 ** min((items.surging - at) / WEEK, ERA)  # a late basket may be of long before
        logs = np.log([items.return_rates(numbers) + 0.02, told[BUYERS] + 1, heat + 1, (surge + 0.5) / (heat + 2)])
        logs[1] -= 3
        logs[2] -= 2
        interval = (told[GAPS] + TRIED * USUAL_GAP) / (told[RETURNS] + TRIED) - USUAL_GAP
        return np.array([*logs, interval, np.zeros(len(numbers)), told[STAPLE]])

    def _of_categories(self, habits: Habits, known: Numbers, places: Numbers, numbers: Numbers) -> Floats:
        table, categories, count = habits.table, self._items.category_of[numbers], len(self._items.categories)
        mine = self._items.category_of[habits.numbers[: len(habits)]]
        weights = table[WEIGHT] * FADING**habits.run
        besides = np.bincount(mine, weights, count)[categories]
        besides[known] -= weights[places]
        last = np.full(count, habits.run - LATE)
        np.maximum.at(last, mine, table[SEEN])
        return np.log([np.maximum(besides, 0) + 0.01, habits.run - last[categories] + 1])
