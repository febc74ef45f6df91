"""What the learner knows of each product: its name, how it sells and when, how surely and how soon its buyers return."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from aggregates.delta import Delta

Numbers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

HOUR, QUARTER = 3_600_000, 900_000
"""Milliseconds of an hour, and of a quarter of one."""

HALF_LIFE = 30 * 86_400_000.0
"""Popularity loses half its weight in this many milliseconds of event time."""

WEEK = 7 * 86_400_000.0
"""Half-life of the short popularity. The short one against the long one shows a trend."""

ERA = 400
"""Weeks after which the landmark of the short popularity moves. A weight doubling every week outgrows a float in 20 years."""

PSEUDO_BUYERS = 10
"""Average buyers that every product starts with, so that its first real ones do not decide alone."""

TRUST = 0.4
"""Exponent of the return rate in a score (docs/decisions/0005)."""

MANY_BUYERS, SELDOM = 30, 0.02
"""A product with so many buyers, and fewer returns a buyer than this, is durable: who has it is not shown it again."""

BUYERS, RETURNS, HEAT, SURGE, GAPS, STAPLE, RETIRED, BASKETS, SIZES = range(9)
"""Rows of :attr:`Items.columns`; ``SIZES`` is the sum of the logs of the sizes of its baskets."""

SLOTS = 15
"""Rows of :attr:`Items.clock`: seven days of the week from Monday, then eight parts of a day of three hours."""

ITEMS, NAMES, SUMS = PARTS = ("items", "items:names", "learner")
FORMAT = "4"
"""Version of the learner's state. State of another one is refused, because mixing two would count everything twice."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as the shop lives it.

    ``hour``: hours since the epoch. ``offset``: hours to add for local time. ``weekday``: 0 is Monday. ``slots``: its rows of
    :attr:`Items.clock`.
    """

    at: int
    hour: int
    offset: int
    weekday: int
    hour_of_day: int
    slots: tuple[int, int]


def moment(at: int, zone: str) -> Moment:
    """Return an instant in a zone.

    >>> now = moment(1483284600000, "America/New_York")
    >>> now.weekday, now.hour_of_day, now.offset, now.slots
    (6, 10, -5, (6, 10))
    """
    hour = at // HOUR
    offset = hours_from_utc(at // QUARTER, zone)
    weekday, hour_of_day = ((hour + offset) // 24 + 3) % 7, (hour + offset) % 24
    return Moment(at, hour, offset, weekday, hour_of_day, (weekday, 7 + hour_of_day // 3))


@lru_cache(maxsize=65_536)
def hours_from_utc(quarter: int, zone: str) -> int:
    ahead = datetime.fromtimestamp(quarter * QUARTER // 1000, ZoneInfo(zone)).utcoffset() or timedelta()
    return ahead // timedelta(hours=1)


@dataclass(slots=True)
class Item:
    """One product.

    ``returns``: purchases by members who had bought it before. ``gaps``: the sum of log(1 + days they had waited).
    ``heat`` and ``surge``: purchases, forward-decayed from their landmarks by a month's and by a week's half-life. ``sizes``:
    the sum of the logs of the sizes of its baskets. ``clock``: its purchases by :data:`SLOTS`. ``staple``: bought on an
    errand whatever the shop recommends, such as fuel; measured apart. ``sold_out``: listed with a stock of 0. ``number``:
    its column in :attr:`Items.columns`.
    """

    name: str = ""
    department: str = ""
    category: str = ""
    staple: bool = False
    retired: bool = False
    sold_out: bool = False
    baskets: int = 0
    buyers: int = 0
    returns: int = 0
    heat: float = 0.0
    surge: float = 0.0
    gaps: float = 0.0
    sizes: float = 0.0
    clock: list[int] = field(default_factory=lambda: [0] * SLOTS)
    number: int = -1

    @property
    def sells(self) -> bool:
        return not (self.retired or self.sold_out)

    @property
    def durable(self) -> bool:
        """Return whether hardly anybody has bought it twice."""
        return self.buyers >= MANY_BUYERS and self.returns < self.buyers * SELDOM


class Items(dict[str, Item]):
    """All products, with the sums over them. Asking for an unknown product creates it.

    ``columns`` and ``clock`` mirror the numbers of the products, a column each, so that many are read at once;
    ``category_of`` holds the number of each one's category in :attr:`categories`. Numbers do not outlive the process, and
    nothing depends on them.

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
        self.shop_clock = [0] * SLOTS  # purchases of all products
        self.columns: Floats = np.zeros((9, 256))
        self.clock: Floats = np.zeros((SLOTS, 256))
        self.category_of: Numbers = np.zeros(256, np.int64)
        self.staples: set[str] = set()
        self.gone: set[str] = set()  # retired
        self.categories: dict[str, int] = {"": 0}
        self._changed: set[str] = set()
        self._described: set[str] = set()

    def __missing__(self, product: str) -> Item:
        number = len(self)
        item = self[product] = Item(number=number)
        if number == self.columns.shape[1]:
            self.columns = np.concatenate((self.columns, np.zeros_like(self.columns)), axis=1)
            self.clock = np.concatenate((self.clock, np.zeros_like(self.clock)), axis=1)
            self.category_of = np.concatenate((self.category_of, np.zeros_like(self.category_of)))
        return item

    # Learning

    def learn_one(
        self, product: str, times: int | None, at: int, gap: float = 0.0, size: float = 0.0, slots: Sequence[int] = ()
    ) -> None:
        """Learn a purchase.

        ``times``: how often the buyer has bought it now, None for a guest. ``gap``: log(1 + days since the buyer's last
        purchase). ``size``: log of the size of the basket. ``slots``: the rows of :attr:`clock` that it falls into.
        """
        if self.landmark is None:
            self.landmark = self.surging = at
        item, age = self[product], at - self.landmark
        item.baskets += 1
        item.heat += 2.0 ** (age / HALF_LIFE)
        item.surge += 2.0 ** ((at - self.surging) / WEEK)
        item.sizes += size
        for slot in slots:
            item.clock[slot] += 1
            self.shop_clock[slot] += 1
        if times == 1:
            item.buyers += 1
            self.buyers += 1
        elif times:
            item.returns += 1
            item.gaps += gap
            self.returns += 1
        self._changed.add(product)

    def unlearn_one(self, product: str, times: int | None, at: int, gap: float, size: float, slots: Sequence[int]) -> None:
        """Take a purchase back; arguments as of :meth:`learn_one`.

        ``times``: how often the buyer had bought it, None if that is not known. ``gap``: what the sum of gaps loses.
        """
        item = self[product]
        item.baskets -= 1
        for slot in slots:
            item.clock[slot] -= 1
            self.shop_clock[slot] -= 1
        if times == 1:
            item.buyers -= 1
            self.buyers -= 1
        elif times:
            item.returns -= 1
            self.returns -= 1
            item.gaps = max(item.gaps - gap, 0.0)
        item.heat = max(item.heat - 2.0 ** ((at - (self.landmark or 0)) / HALF_LIFE), 0.0) if item.baskets else 0.0
        item.surge = max(item.surge - 2.0 ** ((at - self.surging) / WEEK), 0.0) if item.baskets else 0.0
        item.sizes = max(item.sizes - size, 0.0) if item.baskets else 0.0
        self._changed.add(product)

    def move_landmark(self, at: int) -> None:
        """Move the landmark of the short popularity if ``at`` is far from it, which changes every product."""
        eras = 0 if self.landmark is None else int((at - self.surging) // (ERA * WEEK))
        if eras < 1:
            return
        self.surging += eras * int(ERA * WEEK)
        for product, item in self.items():
            item.surge *= 2.0 ** (-ERA * eras)
            if item.baskets:
                self._changed.add(product)
        self.mirror(self)

    def describe(self, product: str, name: str, department: str, category: str, staple: bool, sold_out: bool) -> None:
        """Take what the shop says of a product. It is sold from now on, unless it is sold out."""
        item = self[product]
        item.name, item.department, item.category = name, department, category
        item.staple, item.sold_out, item.retired = staple, sold_out, False
        self._place(product)
        self._described.add(product)

    def restock(self, product: str) -> None:
        """Units of a product have arrived."""
        self[product].sold_out = False
        self._place(product)
        self._described.add(product)

    def retire(self, product: str) -> None:
        self[product].retired = True
        self._place(product)
        self._described.add(product)

    def mirror(self, products: Collection[str]) -> None:
        """Copy the numbers of these products to the columns."""
        items = [self[product] for product in products]
        rows = [(i.buyers, i.returns, i.heat, i.surge, i.gaps, i.staple, i.retired, i.baskets, i.sizes) for i in items]
        places = [item.number for item in items]
        self.columns[:, places] = np.array(rows, float).T
        self.clock[:, places] = np.array([item.clock for item in items], float).T

    def _place(self, product: str) -> None:
        item = self[product]
        self.category_of[item.number] = self.categories.setdefault(item.category, len(self.categories))
        (self.staples.add if item.staple else self.staples.discard)(product)
        (self.gone.add if item.retired else self.gone.discard)(product)
        self.mirror([product])

    # Reading

    @property
    def purchases(self) -> int:
        """Return the number of purchases of all products."""
        return sum(self.shop_clock[:7])

    @property
    def mean_returns(self) -> float:
        """Return the returns a buyer of an average product; above 0, so that scores differ from the first basket on."""
        return (self.returns + 1) / (self.buyers + 1)

    def return_rates(self, numbers: Numbers) -> Floats:
        """Return the returns a buyer of each product, smoothed."""
        prior = PSEUDO_BUYERS * self.mean_returns
        rates: Floats = (self.columns[RETURNS].take(numbers) + prior) / (self.columns[BUYERS].take(numbers) + PSEUDO_BUYERS)
        return rates

    def numbers_of(self, products: Collection[str]) -> Numbers:
        """Return the column of each product."""
        return np.array([self[product].number for product in products], np.int64)

    # State

    def dump(self, delta: Delta) -> None:
        """Write what changed since the last time."""
        for product in self._changed:
            i = self[product]
            counts = " ".join(map(str, (i.baskets, i.buyers, i.returns, *i.clock)))
            delta.fields[ITEMS][product] = f"{counts} {i.heat!r} {i.surge!r} {i.gaps!r} {i.sizes!r}"
        for product in self._described:
            i = self[product]
            flags = "s" * i.staple + "r" * i.retired + "o" * i.sold_out
            delta.fields[NAMES][product] = json.dumps((flags, i.department, i.category, i.name))
        if self._changed:
            sums = {"baskets": self.baskets, "buyers": self.buyers, "returns": self.returns}
            clock = " ".join(map(str, self.shop_clock))
            delta.fields[SUMS].update(sums, format=FORMAT, landmark=self.landmark, surging=self.surging, clock=clock)
        self._changed.clear()
        self._described.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state from where it was written. Raises ValueError for that of another version."""
        if sums := maps.get(SUMS):
            if sums.get("format") != FORMAT:
                raise ValueError("The learner's state is that of another version: empty this Redis, and fill it anew.")
            self.baskets, self.buyers, self.returns = (int(sums[name]) for name in ("baskets", "buyers", "returns"))
            self.landmark, self.surging = int(sums["landmark"]), int(sums["surging"])
            self.shop_clock = list(map(int, sums["clock"].split()))
        for product, text in maps.get(ITEMS, {}).items():
            item, values = self[product], text.split()
            item.baskets, item.buyers, item.returns, *item.clock = map(int, values[: 3 + SLOTS])
            item.heat, item.surge, item.gaps, item.sizes = map(float, values[3 + SLOTS :])
        for product, text in maps.get(NAMES, {}).items():
            item = self[product]
            flags, item.department, item.category, item.name = json.loads(text)
            item.staple, item.retired, item.sold_out = "s" in flags, "r" in flags, "o" in flags
            self._place(product)
        if sold := maps.get(ITEMS):
            self.mirror(sold)
