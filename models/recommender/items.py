"""What the learner knows of each product: its name for people, how it sells, how surely and how soon its buyers come back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

HALF_LIFE = 30 * 86_400_000.0
"""Popularity loses half its weight in this many milliseconds of event time."""

WEEK = 7 * 86_400_000.0
"""Half-life of the short popularity, which against the long one tells a trend."""

ERA = 400
"""After so many weeks the short popularity's landmark moves on: weights that double every week outgrow a float in 20 years."""

PSEUDO_BUYERS = 10
"""Average buyers that every product is given, so that its first real ones do not decide alone."""

TRUST = 0.4
"""How far the return rate is believed: its exponent in a score (docs/decisions/0005)."""

BUYERS, RETURNS, HEAT, SURGE, GAPS, STAPLE, RETIRED = range(7)
"""Rows of :attr:`Items.columns`."""


@dataclass(slots=True)
class Item:
    """``returns``: purchases by members who had bought it before; ``gaps``: log of one plus the days they had waited, summed.

    ``heat``, ``surge``: purchases, forward-decayed from their landmarks by a month's and by a week's half-life. ``staple``:
    bought on an errand whatever one recommends, such as fuel; measured apart. ``number``: its place in :attr:`Items.columns`.
    """

    name: str = ""
    department: str = ""
    category: str = ""
    staple: bool = False
    retired: bool = False
    baskets: int = 0
    buyers: int = 0
    returns: int = 0
    heat: float = 0.0
    surge: float = 0.0
    gaps: float = 0.0
    number: int = -1


class Items(dict[str, Item]):
    """All products, with the sums over them; an unknown one is made when it is asked for.

    ``columns`` mirrors their numbers, a column a product, so that many are read at once; ``category_of`` holds the number of
    each one's category, as :attr:`categories` counts them. No numbering outlives the process, and nothing depends on it.

    >>> items = Items()
    >>> items.learn_one("milk", times=1, at=0); items.learn_one("milk", times=2, at=0)
    >>> items["milk"].baskets, items["milk"].buyers, items["milk"].returns
    (2, 1, 1)
    """

    def __init__(self) -> None:
        super().__init__()
        self.landmark: int | None = None
        self.surging = 0  # the landmark of the short popularity
        self.baskets = 0
        self.buyers = 0
        self.returns = 0
        self.columns: Floats = np.zeros((7, 256))
        self.category_of: Numbers = np.zeros(256, np.int64)
        self.staples: set[str] = set()
        self.categories: dict[str, int] = {"": 0}

    def __missing__(self, product: str) -> Item:
        number = len(self)
        item = self[product] = Item(number=number)
        if number == self.columns.shape[1]:
            self.columns = np.concatenate((self.columns, np.zeros_like(self.columns)), axis=1)
            self.category_of = np.concatenate((self.category_of, np.zeros_like(self.category_of)))
        return item

    def learn_one(self, product: str, times: int | None, at: int, gap: float = 0.0) -> None:
        """A purchase; ``times`` is the buyer's number of purchases of it with this one, None for a guest's.

        ``gap``: log of one plus the days since the buyer's last one.
        """
        if self.landmark is None:
            self.landmark = self.surging = at
        item, age = self[product], at - self.landmark
        item.baskets += 1
        item.heat += 2.0 ** (age / HALF_LIFE)
        item.surge += 2.0 ** ((at - self.surging) / WEEK)
        if times == 1:
            item.buyers += 1
            self.buyers += 1
        elif times:
            item.returns += 1
            item.gaps += gap
            self.returns += 1

    def moved_on(self, at: int) -> bool:
        """Move the short popularity's landmark if ``at`` is too far from it, which changes every product."""
        eras = 0 if self.landmark is None else int((at - self.surging) // (ERA * WEEK))
        if eras < 1:
            return False
        self.surging += eras * int(ERA * WEEK)
        for item in self.values():
            item.surge *= 2.0 ** (-ERA * eras)
        self.mirror(self)
        return True

    def mirror(self, products: Collection[str]) -> None:
        """Take these products' numbers over into the columns."""
        items = [self[product] for product in products]
        told = [(i.buyers, i.returns, i.heat, i.surge, i.gaps, i.staple, i.retired) for i in items]
        self.columns[:, [item.number for item in items]] = np.array(told, float).T

    def describe(self, product: str) -> None:
        """Take over what was said of a product."""
        item = self[product]
        self.category_of[item.number] = self.categories.setdefault(item.category, len(self.categories))
        (self.staples.add if item.staple else self.staples.discard)(product)
        self.mirror([product])

    @property
    def mean_returns(self) -> float:
        """Returns a buyer of an average product; above nothing, so that scores tell products apart from the first basket on."""
        return (self.returns + 1) / (self.buyers + 1)

    def return_rates(self, numbers: Numbers) -> Floats:
        """Returns a buyer of each product, smoothed."""
        prior = PSEUDO_BUYERS * self.mean_returns
        rates: Floats = (self.columns[RETURNS, numbers] + prior) / (self.columns[BUYERS, numbers] + PSEUDO_BUYERS)
        return rates

    def numbers_of(self, products: Collection[str]) -> Numbers:
        """Where each product is in :attr:`columns`."""
        return np.array([self[product].number for product in products], np.int64)
