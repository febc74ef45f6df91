"""A purchase that was given back leaves a member's habits, as far as they still tell it apart from the others."""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p
from typing import NamedTuple

import numpy as np

from models.recommender.habits import (
    DECAYED,
    EARLIEST,
    FADING,
    FIRST,
    HALF_LIFE,
    LAST,
    LATEST,
    LONGEST_GAP,
    QUICK,
    RECENT,
    SEEN,
    SIZE,
    SMALL,
    TIMES,
    WEIGHT,
    Habits,
    RepeatBuyers,
    weights_of_one,
)
from models.recommender.items import HOUR
from models.recommender.receipts import Receipt


class Undone(NamedTuple):
    """``times``: purchases of the product before. ``gap``: what the sum of log(1 + days) between them loses.

    ``same_day``: whether the member bought it on that day another time, None if that is longer ago than what is kept.
    """

    times: int
    gap: float
    same_day: bool | None


def take_back_of_member(repeat: RepeatBuyers, receipt: Receipt, products: Sequence[str]) -> dict[str, Undone]:
    """Take products of an order out of its member's habits, and return what was undone of those that they hold.

    A member to whom no product is left is as one who never bought anything.
    """
    member = receipt.member
    habits = repeat.members.get(member) if member is not None else None
    if member is None or habits is None:
        return {}
    then = habits.run - (habits.baskets + habits.undone - receipt.sequence)
    undone = {}
    for product in products:
        place, bought = habits.places.get(product), receipt.products[product]
        if place is not None:
            hour = bought.late or receipt.at // HOUR
            found = take_back(habits, place, then, receipt.size, hour, bought.since)
            if found is not None:
                undone[product] = found
    repeat.note(member, products)
    habits.keep(np.flatnonzero(habits.table[TIMES] > 0))
    if not len(habits):
        del repeat.members[member]
    elif len(products) == len(receipt.standing):
        _forget_basket(habits, receipt.at)
    return undone


def _forget_basket(habits: Habits, at: int) -> None:
    if habits.baskets > 1:
        habits.baskets -= 1
        habits.undone += 1
    if at == habits.last:
        habits.last = int(habits.table[LAST].max()) * HOUR
    if at == habits.first:
        habits.first = int(habits.table[FIRST].min()) * HOUR


def take_back(habits: Habits, place: int, then: int, size: int, hour: int, since: int) -> Undone | None:
    """Take one purchase out of a column, where 0 times may be left. Return None if the column does not have it.

    ``then``: number of its basket in the run. ``size``: that basket's. ``hour``: hours since the epoch. ``since``: baskets
    since the purchase before it, 0 if there was none.
    """
    column = habits.table[:, place]
    times = int(column[TIMES])
    hours = habits.hours[: min(times, LATEST), place].tolist()
    if hour not in hours and times <= LATEST:  # it was forgotten, and bought again
        return None
    left, gap = without(hours, hour, float(column[LAST] - column[FIRST]), times)
    column[TIMES] = times - 1
    if times > 1:
        if len(left) < min(times - 1, LATEST):
            usual = 2 * left[-1] - left[-2] if len(left) > 1 else left[-1]
            left.append(max(usual, int(column[FIRST]), left[-1] - LONGEST_GAP))
        left = left[: min(times - 1, LATEST)]
        for at in range(1, len(left)):
            left[at] = max(left[at], left[at - 1] - LONGEST_GAP)
        habits.hours[:, place] = left + [0] * (LATEST - len(left))
        if column[SEEN] == then and since:
            column[SEEN] = max(then - since, EARLIEST)
        _lighten(column, then, size, hour, left)
    same_day = any(other // 24 == hour // 24 for other in left) if hour in hours else None
    return Undone(times, gap, same_day)


def without(hours: list[int], hour: int, span: float, times: int) -> tuple[list[int], float]:
    """Return the hours of purchases without one of them, and what the gaps lose. ``span``: hours from the first to the last."""
    if times == 1:
        return [], 0.0
    if hour not in hours:  # longer ago than what is kept
        return hours, log1p(span / 24 / (times - 1))
    at = hours.index(hour)
    left = hours[:at] + hours[at + 1 :]
    newer, older = hours[:at][-1:], hours[at + 1 :][:1]
    gap = sum(log1p((a - hour) / 24) for a in newer) + sum(log1p((hour - b) / 24) for b in older)
    return left, gap - sum(log1p((a - b) / 24) for a in newer for b in older)


def _lighten(column: np.ndarray[tuple[int], np.dtype[np.float64]], then: int, size: int, hour: int, left: list[int]) -> None:
    before, column[LAST] = float(column[LAST]), left[0]
    if hour == column[FIRST] and column[TIMES] <= LATEST:
        column[FIRST] = left[-1]
    column[SMALL] = np.float32(max(column[SMALL] - 1 / size, 0.0))
    if column[TIMES] == 1:  # exactly as it is stored
        only = min(round(1 / max(float(column[SMALL]), 1 / LONGEST_GAP)), LONGEST_GAP)
        column[SMALL] = np.float32(1 / only)
        column[WEIGHT], column[RECENT] = weights_of_one(only, int(column[SEEN]))
        column[FIRST], column[DECAYED] = column[LAST], 1.0
        return
    column[WEIGHT] = np.float32(max(column[WEIGHT] - size**-SIZE / FADING**then, 0.0))
    column[RECENT] = np.float32(max(column[RECENT] - size**-SIZE / QUICK**then, 0.0))
    decayed = max(column[DECAYED] - 2.0 ** ((hour - before) / HALF_LIFE), 0.0)
    column[DECAYED] = np.float32(decayed * 2.0 ** ((before - left[0]) / HALF_LIFE))
