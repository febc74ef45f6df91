"""What the ranker sees of a candidate for a member's next basket: named once, here, and made for all candidates at once.

Each is a number of about −7 to 7, so none needs scaling. All are as of the moment at which the list is read. Features of
purchases are 0 where there are none, except ``habit``.
"""

from __future__ import annotations

from math import exp, log, log1p

import numpy as np
from numpy.typing import NDArray

from models.recommender.habits import FADING, LAST, LATEST, LONGEST_GAP, QUICK, SEEN, TIMES, WEIGHT, Habits
from models.recommender.items import (
    BASKETS,
    BUYERS,
    ERA,
    GAPS,
    HALF_LIFE,
    HEAT,
    HOUR,
    RETURNS,
    SIZES,
    STAPLE,
    SURGE,
    TRUST,
    WEEK,
    Floats,
    Items,
    Moment,
    Numbers,
)

MEANS = {
    "habit": "log of the habit score: faded purchases × return rate",
    "purchases": "log of the member's purchases of it",
    "recent": "log of the purchases that fade fast",
    "baskets since": "log of the baskets since the last purchase",
    "days since": "log of the days since the last purchase",
    "small baskets": "log of the mean share of the baskets that held it",
    "due": "from the third purchase on: log of the wait over the mean interval",
    "regular": "1 from the third purchase on",
    "wait over median": "from the second purchase on: log of the wait over the median of the member's own gaps",
    "near median": "1 where the wait is that median, less the further it is from it",
    "gaps passed": "share of the member's own gaps that are shorter than the wait",
    "spread of gaps": "standard deviation of the logs of these gaps",
    "own weekday": "share of the member's latest purchases of it that were on this day of the week",
    "own hour": "share of the member's latest purchases of it that were near this hour",
    "return rate": "log of the product's returns per buyer",
    "buyers": "log of the product's buyers",
    "heat": "log of the product's purchases of late",
    "trend": "log of its last week over its last month",
    "interval": "log of the product's mean days between purchases",
    "overdue": "log of the wait over the product's interval",
    "staple": "1 for what is bought on an errand, such as fuel",
    "weekday": "log of how much more it sells on this day of the week than others do",
    "hour": "log of how much more it sells at this time of the day than others do",
    "fit": "log of its usual basket size over the size that is expected",
    "category habit": "log of the faded purchases of its category besides",
    "category since": "log of the baskets since its category was bought",
    "basket size": "log of the size of the latest basket",
    "baskets": "log of the member's number of baskets",
    "expected size": "log of the size that is expected of the next basket",
    "hours since": "log of the hours since the latest basket",
    "weekend": "1 on Saturday and Sunday",
    "companion": "log of how strongly the latest basket suggests it",
    "popular": "heat against the hottest product",
}
"""Every feature in its order: of the member's habit, the product, the category, the context, and of the sources."""

FEATURES = tuple(MEANS)
AT = {name: column for column, name in enumerate(FEATURES)}

FLOOR = -7.0
"""``habit`` of what was never bought, and the least of what was."""

USUAL_GAP, TRIED = 2.5, 5.0
"""A product's interval before anybody came back for it (log of about 11 days), and how many returns that counts for."""

LATE = 60.0
"""Baskets after which a category counts as never bought."""

PRIOR = 20.0
"""Purchases that a product's days and hours start with, spread as the shop's are."""

NEAR = 2
"""Hours by which two times of the day may differ to be near."""

PHASE, PRODUCT, CATEGORY, CONTEXT = (AT[name] for name in ("wait over median", "return rate", "category habit", "basket size"))
SOURCES = AT["companion"]


class FeatureMaker:
    """Makes a row a feature and a column a candidate; those of the sources are left 0."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def make(self, habits: Habits, places: Numbers, numbers: Numbers, moment: Moment, expected: float) -> Floats:
        """Return the features of candidates.

        ``numbers``: their columns in :class:`Items`. ``places``: the columns in ``habits`` of the first of them; the member has
        bought no other. ``expected``: log of the expected size of the basket.
        """
        made, rates = np.zeros((len(FEATURES), len(numbers))), self._items.return_rates(numbers)
        known = slice(0, len(places))
        made[0] = FLOOR
        if len(places):
            made[:PHASE, known] = of_habits(habits, places, rates[known], moment)
            made[PHASE:PRODUCT, known] = of_phase(habits, places, moment)
        made[PRODUCT:CATEGORY] = self._of_products(numbers, rates, moment, expected)
        wait = np.log1p(np.maximum(moment.hour - habits.table[LAST, places], 0) / 24)
        made[AT["overdue"], known] = (wait - USUAL_GAP - made[AT["interval"], known]).clip(-3, 3)
        made[CATEGORY:CONTEXT] = self._of_categories(habits, known, places, numbers)
        made[CONTEXT:SOURCES] = np.array(of_context(habits, moment, expected))[:, None]
        return made

    def _of_products(self, numbers: Numbers, rates: Floats, moment: Moment, expected: float) -> Floats:
        items, at = self._items, moment.at
        columns = items.columns.take(numbers, axis=1)
        heat = columns[HEAT] * 2.0 ** (((items.landmark or 0) - at) / HALF_LIFE)
        surge = columns[SURGE] * 2.0 ** min((items.surging - at) / WEEK, ERA)  # a basket that comes late may be of long before
        logs = np.log([rates + 0.02, columns[BUYERS] + 1, heat + 1, (surge + 0.5) / (heat + 2)])
        logs[1] -= 3
        logs[2] -= 2
        interval = (columns[GAPS] + TRIED * USUAL_GAP) / (columns[RETURNS] + TRIED) - USUAL_GAP
        usual = (columns[SIZES] + expected) / (columns[BASKETS] + 1)
        nothing = np.zeros(len(numbers))
        return np.array([*logs, interval, nothing, columns[STAPLE], *self._of_clock(numbers, moment), usual - expected])

    def _of_clock(self, numbers: Numbers, moment: Moment) -> Floats:
        items, purchases = self._items, self._items.purchases
        lifts = np.empty((2, len(numbers)))
        for row, slot in enumerate(moment.slots):
            share = (items.shop_clock[slot] + 1) / (purchases + 8)
            lifts[row] = items.clock[slot].take(numbers) / share
        lifts += PRIOR
        lifts /= items.columns[BASKETS].take(numbers) + PRIOR
        return np.log(lifts, out=lifts)

    def _of_categories(self, habits: Habits, known: slice, places: Numbers, numbers: Numbers) -> Floats:
        table, categories, count = habits.table, self._items.category_of.take(numbers), len(self._items.categories)
        mine = self._items.category_of[habits.numbers[: len(habits)]]
        weights = table[WEIGHT] * FADING**habits.run
        besides = np.bincount(mine, weights, count)[categories]
        besides[known] -= weights[places]
        last = np.full(count, habits.run - LATE)
        np.maximum.at(last, mine, table[SEEN])
        return np.log([np.maximum(besides, 0) + 0.01, habits.run - last[categories] + 1])


def of_habits(habits: Habits, places: Numbers, rates: Floats, moment: Moment) -> Floats:
    """Return what a member's own purchases say. ``rates``: the return rate of each product."""
    times, weight, recent, small, first, last, seen, *_ = habits.table[:, places]
    score = weight * FADING**habits.run * rates**TRUST
    days = np.maximum(moment.hour - last, 0) / 24
    interval = (last - first) / 24 / np.maximum(times - 1, 1)
    made = np.array(
        [
            np.maximum(score, exp(FLOOR)),
            times,
            recent * QUICK**habits.run + 0.01,
            habits.run - seen + 1,
            days + 1,
            small / times + 0.01,
            (days + 0.5) / (interval + 0.5),
            times,
        ]
    )
    np.log(made, out=made)
    made[7] = times > 2
    made[6] = made[6].clip(-3, 3) * made[7]
    return made


def of_phase(habits: Habits, places: Numbers, moment: Moment) -> Floats:
    """Return how the wait compares with a member's own gaps of late, and whether this is the usual day and hour."""
    hours = habits.hours[:, places]
    times = np.minimum(habits.table[TIMES, places], LATEST)
    made = np.zeros((PRODUCT - PHASE, len(places)))
    several = np.flatnonzero(times > 1)
    if len(several):
        made[:4, several] = of_gaps(hours[:, several], times[several], moment)
    same_day, near_hour = (found.astype(float) for found in at_this_time(hours[0], moment))
    if len(several):
        bought = np.arange(1, LATEST)[:, None] < times[several]
        for found, more in zip((same_day, near_hour), at_this_time(hours[1:, several], moment), strict=True):
            found[several] += (more & bought).sum(axis=0)
    made[4] = (same_day + 1 / 7) / (times + 1)
    made[5] = (near_hour + 5 / 24) / (times + 1)
    return made


def of_gaps(hours: NDArray[np.int32], times: Floats, moment: Moment) -> tuple[Floats, ...]:
    """Return how the wait compares with the gaps between purchases, of products that were bought several times."""
    count = times - 1
    wait = np.maximum(moment.hour - hours[0], 0)
    within = np.arange(1, LATEST)[:, None] <= count
    gaps = np.where(within, hours[:-1] - hours[1:], LONGEST_GAP)
    logs = np.log(gaps + 12.0)
    mean = (logs * within).sum(axis=0) / count
    spread = np.sqrt((((logs - mean) * within) ** 2).sum(axis=0) / count)
    logs.sort(axis=0)
    middle, columns = count.astype(np.int64) - 1, np.arange(len(count))
    median = (logs[middle // 2, columns] + logs[(middle + 1) // 2, columns]) / 2
    over = (np.log(wait + 12.0) - median).clip(-3, 3)
    passed = (((gaps < wait) & within).sum(axis=0) + 0.5) / times
    return over, np.exp(-2 * over * over), passed, spread


def at_this_time(hours: NDArray[np.int32], moment: Moment) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether hours are on this day of the week, and whether they are near this hour of the day."""
    local = hours + moment.offset
    apart = np.abs(local % 24 - moment.hour_of_day)
    return (local // 24 + 3) % 7 == moment.weekday, np.minimum(apart, 24 - apart) <= NEAR


def of_context(habits: Habits, moment: Moment, expected: float) -> list[float]:
    """Return what all candidates share: the member's baskets and the moment."""
    since = max(moment.at - habits.last, 0) / HOUR
    return [
        log(habits.size) - 2,
        log1p(min(habits.baskets, 200)) - 3,
        expected - 2,
        log1p(min(since, 60 * 24)) - 4,
        float(moment.weekday > 4),
    ]
