"""What each member buys again: purchases that fade with every basket, and when the latest of them were.

score = Σ over purchases of n^−0.4 · 0.97^(baskets since) × return rate^0.4, where n is the size of that basket and the return
rate is returns per buyer, smoothed. It descends from TREx's repeat module (recommendations 1.6); that a small basket says more
of each of its products is our own finding, worth half of what it gains over TREx (docs/decisions/0005).

Fading is *forward*: a purchase is stored as its weight over 0.97^N at the member's basket number N, so nothing else changes,
and the factor that all products of one member share is applied only where a score is shown. Weights are rounded to 32 bits as
they are learned, so that what is stored is what is held.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from struct import Struct, calcsize, pack, unpack

import numpy as np
from numpy.typing import NDArray

from aggregates.delta import Delta
from models.recommender.items import HOUR, RETIRED, TRUST, Floats, Items, Numbers

DAY = 86_400_000
"""Milliseconds."""

TIMES, WEIGHT, RECENT, SMALL, FIRST, LAST, SEEN, ORDER, DECAYED = range(9)
"""Rows of :attr:`Habits.table`; see :class:`Habit`. ``ORDER`` numbers a member's products as they were first bought;
``DECAYED`` is the baseline's: purchases that fade by days, as of the last one."""

FADING = 0.97
"""What a purchase is still worth one basket later."""

QUICK = 0.85
"""The same for the short memory, which the ranker sees beside the long one."""

SIZE = 0.4
"""A basket of n products counts n^−SIZE for each."""

LONGEST_RUN = 400
"""Baskets until weights are brought back to the present, within the range of a 32-bit float."""

LATEST = 8
"""Purchases of a product whose hour is kept."""

LONGEST_GAP = 65_535
"""Hours between two of those purchases, at the most: about 7 years."""

EARLIEST = -30_000
"""Number of the last basket of what was bought long before this run."""

MOST, KEPT = 112, 84
"""Products a member may have before the weakest are forgotten, and how many are kept then."""

HALF_LIFE = 180 * 24
"""Hours in which a purchase loses half its weight in the baseline that fades by days."""

SIZE_FADING = 0.1
"""Weight of the latest basket in a member's usual basket size."""

RUN, ERASED, CLOSED, LIST = ".run", ".erased", ".closed", ".list"
"""Fields that are no product. A product's id that begins with a dot gets another one. Of :data:`LIST` there are as many as it
takes, ``.list``, ``.list1`` and so on."""

ONCE = Struct("<IhHi")  # order, seen, size of the basket, hour
OFTEN = Struct("<IhIffffii")  # order, seen, times, weight, recent, small, decayed, first and last hour; then gaps of 16 bits


@dataclass(slots=True)
class Habit:
    """One product of one member.

    ``weight`` and ``recent``: purchases that fade slowly and fast, in forward units. ``small``: the sum of 1/n over the baskets
    of n products that held it. ``first`` and ``last``: hours since the epoch. ``seen``: number of its last basket in the run.
    """

    times: int
    weight: float
    recent: float
    small: float
    first: int
    last: int
    seen: int


class Habits:
    """One member's purchases: a table with a column a product, in the order in which they were first bought.

    ``run`` counts baskets since weights were last brought to the present, ``baskets`` all of them but the ``undone``, which
    were given back. ``size`` is the number of products of the latest one, ``usual`` the faded mean of the logs of sizes.
    ``first`` and ``last`` are the instants of the earliest and the latest. ``hours``: of each product's latest purchases, the
    latest first, 0 where there is none.
    The order of columns survives a restart, because sums of floating point numbers depend on it.
    """

    def __init__(self) -> None:
        self.run = self.baskets = self.undone = self.size = self.first = self.last = self.bought = 0
        self.usual = 0.0
        self.places: dict[str, int] = {}
        self.products: list[str] = []
        self.numbers: Numbers = np.zeros(16, np.int64)  # in Items.columns
        self._table: Floats = np.zeros((9, 16))
        self._hours: NDArray[np.int32] = np.zeros((LATEST, 16), np.int32)

    def __len__(self) -> int:
        return len(self.products)

    @property
    def table(self) -> Floats:
        return self._table[:, : len(self.products)]

    @property
    def hours(self) -> NDArray[np.int32]:
        return self._hours[:, : len(self.products)]

    def places_of(self, products: Sequence[str]) -> list[int]:
        """Return the columns of products; those of new ones are at the end and empty."""
        places, known = self.places, self.products
        found = []
        for product in products:
            place = places.get(product)
            if place is None:
                place = places[product] = len(known)
                known.append(product)
            found.append(place)
        while len(known) > self._table.shape[1]:
            self._table = np.concatenate((self._table, np.zeros_like(self._table)), axis=1)
            self._hours = np.concatenate((self._hours, np.zeros_like(self._hours)), axis=1)
            self.numbers = np.concatenate((self.numbers, np.zeros_like(self.numbers)))
        return found

    def keep(self, places: Numbers) -> None:
        """Forget all products but those in these columns, which are in ascending order."""
        count = len(places)
        self._table[:, :count] = self._table[:, places]
        self._hours[:, :count] = self._hours[:, places]
        self.numbers[:count] = self.numbers[places]
        self._table[:, count:] = 0
        self._hours[:, count:] = 0
        self.products = [self.products[place] for place in places.tolist()]
        self.places = {product: place for place, product in enumerate(self.products)}

    def habit(self, place: int) -> Habit:
        times, weight, recent, small, first, last, seen, *_ = self._table[:, place].tolist()
        return Habit(int(times), weight, recent, small, int(first), int(last), int(seen))

    def latest_basket(self) -> list[str]:
        """Return the products of the latest basket."""
        seen = self.table[SEEN]
        return [self.products[place] for place in np.flatnonzero(seen == seen.max()).tolist()]

    @property
    def pace(self) -> float:
        """Return the mean days between baskets: 7 if there is only one, from 5 hours to 30 days."""
        if self.baskets < 2:
            return 7.0
        return min(max((self.last - self.first) / DAY / (self.baskets - 1), 0.2), 30.0)


class RepeatBuyers:
    """All members' habits.

    >>> buyers = RepeatBuyers(Items())
    >>> gaps = buyers.learn_one("ann", ["milk"], at=0); gaps = buyers.learn_one("ann", ["milk"], at=1)
    >>> round(buyers.predict_one("ann", "milk"), 2), buyers.favourites("ann", 1)
    (1.97, ['milk'])
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self.members: dict[str, Habits] = {}
        self.erased: set[str] = set()
        self.closed: set[str] = set()  # whose membership is closed: they have no list, and teach nothing
        self._changed: dict[str, set[str]] = {}

    # Learning

    def learn_one(self, member: str, products: Sequence[str], at: int) -> list[tuple[int, float, bool, int, int]]:
        """Learn a basket of distinct products.

        Returns for each its number of purchases now, log(1 + days since the one before), and what its receipt notes: whether it
        is the first that day, baskets since the one before, and the hour as which it counts, if it comes late.
        """
        habits, count = self.members.setdefault(member, Habits()), len(products)
        changed = self._changed.setdefault(member, set())
        if habits.run == LONGEST_RUN:
            bring_to_present(habits)
            changed.update(habits.products)
        self._count_basket(habits, count, at)
        hour, known = at // HOUR, len(habits)
        places = habits.places_of(products)
        table = habits.table
        if known < len(habits):
            table[FIRST, known:] = table[LAST, known:] = hour
            table[ORDER, known:] = np.arange(habits.bought, habits.bought + len(habits) - known)
            habits.bought += len(habits) - known
            habits.numbers[known : len(habits)] = self._items.numbers_of(habits.products[known:])
        held = table[:, places]
        waited = np.maximum(hour - held[LAST], 0)
        new = held[TIMES] == 0
        fresh = (new | (held[LAST] // 24 != hour // 24)).tolist()
        since = np.where(new, 0, habits.run - held[SEEN]).astype(int).tolist()
        late = np.where(held[LAST] > hour, held[LAST], 0).astype(int).tolist()
        held[DECAYED] = rounded(held[DECAYED] * 2.0 ** (-waited / HALF_LIFE) + 1)
        held[TIMES] += 1
        held[WEIGHT] = rounded(held[WEIGHT] + count**-SIZE / FADING**habits.run)
        held[RECENT] = rounded(held[RECENT] + count**-SIZE / QUICK**habits.run)
        held[SMALL] = rounded(held[SMALL] + 1 / count)
        np.maximum(held[LAST], hour, out=held[LAST])
        held[SEEN] = habits.run
        table[:, places] = held
        push(habits.hours, places, held[LAST], held[TIMES])
        changed.update(products)
        times = held[TIMES].astype(int).tolist()
        self._forget_weakest(member, habits)
        return list(zip(times, np.log1p(waited / 24).tolist(), fresh, since, late, strict=True))

    def note(self, member: str, products: Collection[str]) -> None:
        """Note that these habits of a member differ from what is stored."""
        self._changed.setdefault(member, set()).update(products)

    def erase(self, delta: Delta, member: str) -> None:
        """Forget a member for ever, and write that over what is stored of them."""
        habits = self.members.pop(member, None)
        fields = delta.fields[f"repeat:{member}"]
        fields.clear()
        fields.update(dict.fromkeys((*map(escaped, habits.products if habits else ()), RUN, CLOSED)), **{ERASED: 1})
        fields.update(dict.fromkeys(map(escaped, self._changed.pop(member, ()))))
        self.erased.add(member)
        self.closed.discard(member)

    def close(self, delta: Delta, member: str) -> None:
        """Learn nothing of a member until they register again; their habits stay."""
        self.closed.add(member)
        delta.fields[f"repeat:{member}"][CLOSED] = 1

    def reopen(self, delta: Delta, member: str) -> None:
        """Learn from a member who registered again after closing."""
        if member in self.closed:
            self.closed.remove(member)
            delta.fields[f"repeat:{member}"][CLOSED] = None

    def has_left(self, member: str | None) -> bool:
        """Return whether a member has closed the membership or was erased."""
        return member in self.erased or member in self.closed

    def _count_basket(self, habits: Habits, count: int, at: int) -> None:
        habits.first = min(habits.first, at) if habits.baskets else at
        habits.last = max(habits.last, at)
        habits.usual += (log(count) - habits.usual) * (SIZE_FADING if habits.baskets else 1.0)
        habits.run += 1
        habits.baskets += 1
        habits.size = count

    def _forget_weakest(self, member: str, habits: Habits) -> None:
        if len(habits) > MOST:
            before = habits.products
            habits.keep(np.sort(highest(self._scores(habits), KEPT)))
            self._changed[member].update(product for product in before if product not in habits.places)

    # Reading

    def predict_one(self, member: str, product: str) -> float:
        """Return the faded purchases of a product as of the member's latest basket; 0 if it was never bought."""
        habits = self.members.get(member)
        place = habits.places.get(product) if habits else None
        if habits is None or place is None:
            return 0.0
        return float(habits.table[WEIGHT, place]) * FADING**habits.run

    def ranked(self, member: str, count: int) -> list[str]:
        """Return the highest-scored products that the shop still sells; ties go to what was bought earlier."""
        habits = self.members[member]
        return [habits.products[place] for place in self.strongest(habits, count).tolist()]

    def strongest(self, habits: Habits, count: int) -> Numbers:
        """Return the columns of the highest-scored products that the shop still sells."""
        scores = self._scores(habits)
        scores[self._items.columns[RETIRED, habits.numbers[: len(habits)]] > 0] = 0.0
        found = highest(scores, count)
        return found[scores[found] > 0]

    def favourites(self, member: str, count: int) -> list[str]:
        """Return what a member bought most often; ties go to what was bought last, then to what came first."""
        habits = self.members.get(member)
        if habits is None:
            return []
        times, last = habits.table[TIMES], habits.table[LAST]
        often = np.arange(len(times))
        if len(times) > count:
            often = np.flatnonzero(times >= np.partition(times, -count)[-count])
        order = np.lexsort((-last[often], -times[often]))[:count]
        return [habits.products[place] for place in often[order].tolist()]

    def decayed(self, member: str, count: int, at: int) -> list[str]:
        """Return the highest by purchases that fade by days, times the return rate: the strong plain baseline."""
        habits = self.members.get(member)
        if habits is None:
            return []
        table, rates = habits.table, self._items.return_rates(habits.numbers[: len(habits)])
        waited = np.maximum(at // HOUR - table[LAST], 0)
        scores = table[DECAYED] * 2.0 ** (-waited / HALF_LIFE) * rates
        return [habits.products[place] for place in highest(scores, count).tolist()]

    def _scores(self, habits: Habits) -> Floats:
        scores: Floats = habits.table[WEIGHT] * self._items.return_rates(habits.numbers[: len(habits)]) ** TRUST
        return scores

    # State

    def dump(self, delta: Delta) -> None:
        """Write what changed since the last time: a field a habit, and :data:`RUN` with what concerns the member."""
        for member, products in self._changed.items():
            habits, fields = self.members.get(member), delta.fields[f"repeat:{member}"]
            if habits is None:  # all was given back
                fields.update(dict.fromkeys((*map(escaped, products), RUN)))
                continue
            places = habits.places
            kept = [product for product in products if product in places]
            fields.update((escaped(product), None) for product in products if product not in places)
            fields.update(zip(map(escaped, kept), texts(habits, [places[product] for product in kept]), strict=True))
            numbers = (habits.run, habits.baskets, habits.undone, habits.size, habits.first, habits.last, habits.bought)
            fields[RUN] = f"{' '.join(map(str, numbers))} {habits.usual!r}"
        self._changed.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state of some members from where it was written."""
        for key, fields in maps.items():
            if fields and key.startswith("repeat:"):
                member = key.removeprefix("repeat:")
                if ERASED in fields:
                    self.erased.add(member)
                    continue
                if CLOSED in fields:
                    self.closed.add(member)
                if RUN in fields:
                    self.members[member] = self._read(fields)

    def _read(self, fields: Mapping[str, str]) -> Habits:
        habits = Habits()
        *numbers, usual = fields[RUN].split()
        habits.run, habits.baskets, habits.undone, habits.size, habits.first, habits.last, habits.bought = map(int, numbers)
        habits.usual = float(usual)
        columns = {field.removeprefix("."): column(text) for field, text in fields.items() if not is_own(field)}
        products = sorted(columns, key=lambda product: columns[product][0][ORDER])
        habits.places_of(products)
        habits.numbers[: len(habits)] = self._items.numbers_of(products)
        for place, product in enumerate(products):
            habits.table[:, place], habits.hours[:, place] = columns[product]
        return habits


def highest(scores: Floats, count: int) -> Numbers:
    """Return the indices of the highest values, in order; of equal ones the first."""
    if len(scores) <= count:
        return np.argsort(-scores, kind="stable")
    among = np.flatnonzero(scores >= np.partition(scores, -count)[-count])
    order: Numbers = among[np.argsort(-scores[among], kind="stable")][:count]
    return order


def bring_to_present(habits: Habits) -> None:
    """Express all weights in the units of the present, and begin a new run."""
    table, run = habits.table, habits.run
    table[SEEN] = np.maximum(table[SEEN] - run, EARLIEST)
    table[WEIGHT] = rounded(table[WEIGHT] * FADING**run)
    table[RECENT] = rounded(table[RECENT] * QUICK**run)
    for place in np.flatnonzero(table[TIMES] == 1).tolist():  # exactly as they are read from :data:`ONCE`
        weights = weights_of_one(round(1 / float(table[SMALL, place])), int(table[SEEN, place]))
        table[WEIGHT, place], table[RECENT, place] = weights
    habits.run = 0


def weights_of_one(size: int, seen: int) -> tuple[float, float]:
    """Return the weights of a product that was bought once, in a basket of this size."""
    return float(np.float32(size**-SIZE / FADING**seen)), float(np.float32(size**-SIZE / QUICK**seen))


def push(hours: NDArray[np.int32], places: Sequence[int], latest: Floats, times: Floats) -> None:
    """Put a purchase before the others of these products. ``times``: their purchases with this one."""
    held = hours[:, places]
    held[1:] = held[:-1]
    held[0] = latest
    held[1:] += np.maximum(held[0] - held[1] - LONGEST_GAP, 0)
    held[np.arange(LATEST)[:, None] >= times] = 0
    hours[:, places] = held


def rounded(values: Floats | float) -> Floats:
    return np.asarray(values).astype(np.float32).astype(np.float64)


def texts(habits: Habits, places: Sequence[int]) -> list[str]:
    """Return each column as short text, so that Redis keeps a member's map compact."""
    found = []
    for row, hours in zip(habits.table[:, places].T.tolist(), habits.hours[:, places].T.tolist(), strict=True):
        times, weight, recent, small, first, last, seen, order, decayed = row
        if times == 1:
            written = ONCE.pack(int(order), int(seen), min(round(1 / small), LONGEST_GAP), int(last))
        else:
            known = hours[: min(int(times), LATEST)]
            gaps = [newer - older for newer, older in pairwise(known)]
            numbers = (int(order), int(seen), int(times), weight, recent, small, decayed, int(first), int(last))
            written = OFTEN.pack(*numbers) + pack(f"<{len(gaps)}H", *gaps)
        found.append(b64encode(written).decode())
    return found


def column(text: str) -> tuple[list[float], list[int]]:
    """Return a column of the table and of the hours, as :func:`texts` wrote it."""
    written = b64decode(text)
    if len(written) == ONCE.size:
        order, seen, size, last = ONCE.unpack(written)
        small = float(np.float32(1 / size))
        return [1.0, *weights_of_one(size, seen), small, last, last, seen, order, 1.0], [last, *[0] * (LATEST - 1)]
    order, seen, times, weight, recent, small, decayed, first, last = OFTEN.unpack(written[: OFTEN.size])
    hours = [last]
    for gap in unpack(f"<{(len(written) - OFTEN.size) // calcsize('H')}H", written[OFTEN.size :]):
        hours.append(hours[-1] - gap)
    return [times, weight, recent, small, first, last, seen, order, decayed], hours + [0] * (LATEST - len(hours))


def is_own(field: str) -> bool:
    """Return whether a field is none of a product."""
    return field.startswith(".") and not field.startswith("..")


def escaped(product: str) -> str:
    return f".{product}" if product.startswith(".") else product
