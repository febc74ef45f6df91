"""Visits that went before, by number and by product: what the neighbour methods look things up in. It only grows."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.evaluation.facts import Floats, Numbers


@dataclass(frozen=True)
class Found:
    """Visits that have something in common with one, a row each.

    ``common``: the sum of the weights of the products in common. ``latest``: the largest place, from 1, that one of those has
    in the visit at hand. ``star``: the largest that one of those has in the visit found.
    """

    visits: Numbers
    common: Floats
    latest: Numbers
    star: Numbers

    def at(self, rows: Numbers) -> Found:
        return Found(self.visits[rows], self.common[rows], self.latest[rows], self.star[rows])


class VisitIndex:
    """
    >>> index = VisitIndex(3)
    >>> index.add([0, 1, 0], at=5); index.add([2], at=6)
    >>> found = index.sharing([1, 2], np.array([0.5, 1.0]), 10)
    >>> found.visits.tolist(), found.common.tolist(), found.star.tolist()
    ([0, 1], [0.5, 1.0], [2, 1])
    """

    def __init__(self, width: int) -> None:
        self.count = 0
        self._visits = [array("q") for _ in range(width)]  # by product, the numbers of visits that had it
        self._places = [array("q") for _ in range(width)]  # and where they had it last, from 1
        self._items, self._last = array("q"), array("q")  # the distinct products of all visits, and their last places
        self._starts, self._ends = array("q", [0]), array("q")

    def add(self, products: Sequence[int], at: int) -> None:
        """A visit has ended: its products in order, and when (epoch milliseconds)."""
        last = {product: place for place, product in enumerate(products, 1)}
        for product, place in last.items():
            self._visits[product].append(self.count)
            self._places[product].append(place)
        self._items.extend(last)
        self._last.extend(last.values())
        self._starts.append(len(self._items))
        self._ends.append(at)
        self.count += 1

    def frequency(self, products: Numbers) -> Numbers:
        """Return how many visits had each product."""
        return np.array([len(self._visits[product]) for product in products.tolist()], np.int64)

    def sharing(self, products: Sequence[int], weights: Floats, most: int) -> Found:
        """Return the latest visits, ``most`` of them, that had any of some distinct products, which come in order of place."""
        visits = [latest(self._visits[product], most) for product in products]
        sizes = [len(some) for some in visits]
        all_visits = np.concatenate([*visits, np.zeros(0, np.int64)])
        star_of = np.concatenate([*(latest(self._places[product], most) for product in products), np.zeros(0, np.int64)])
        found, row = np.unique(all_visits, return_inverse=True)
        common = np.bincount(row, np.repeat(weights, sizes), len(found)).astype(np.float64)
        star, last = np.zeros(len(found), np.int64), np.zeros(len(found), np.int64)
        np.maximum.at(star, row, star_of)
        np.maximum.at(last, row, np.repeat(np.arange(1, len(products) + 1), sizes))
        every = Found(found, common, last, star)
        return every.at(np.arange(len(found) - most, len(found))) if len(found) > most else every

    def held(self, visits: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Return the distinct products of some visits, one visit after the other, their last places, and how many of each."""
        bounds = np.frombuffer(self._starts, np.int64)
        starts, sizes = bounds[visits], bounds[visits + 1] - bounds[visits]
        at = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(int(sizes.sum()))
        items, last = np.frombuffer(self._items, np.int64), np.frombuffer(self._last, np.int64)
        return items[at], last[at], sizes

    def sizes(self, visits: Numbers) -> Numbers:
        """Return the number of distinct products of some visits."""
        bounds = np.frombuffer(self._starts, np.int64)
        sizes: Numbers = bounds[visits + 1] - bounds[visits]
        return sizes

    def ended(self, visits: Numbers) -> Numbers:
        """Return when some visits ended."""
        ends: Numbers = np.frombuffer(self._ends, np.int64)[visits]
        return ends


def latest(numbers: array[int], most: int) -> Numbers:
    """Return the last numbers as an array of their own, so that the one they come from may go on growing."""
    return np.array(numbers[-most:], np.int64)


def summed(products: Numbers, values: Floats) -> tuple[Numbers, Floats]:
    """Return distinct products, each with the sum of its values."""
    distinct, row = np.unique(products, return_inverse=True)
    return distinct, np.bincount(row, values, len(distinct)).astype(np.float64)
