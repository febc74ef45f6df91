"""What every shopper is doing now, and the visits that went before: bounded, and forgotten by the shop's own clock.

A visit ends when its shopper comes back after half an hour without an act, by the instants of their own acts. Visits whose
shopper does not come back are cleaned up by the shop's clock: the median of the latest instants of the last five shoppers,
which one clock that is ahead cannot move. A year that is imported in a minute ends its visits as the year did.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from aggregates.delta import Delta
from models.recommender.items import Numbers

T = TypeVar("T")

IDLE = 30 * 60_000
"""Milliseconds of event time after which a visit is over."""

SOURCES = 5
"""Shoppers whose latest acts set the shop's clock."""

REMEMBERED = 30
"""Distinct products of a visit that are kept, the latest."""

MOST_LIVE = 50_000
"""Visits that go on at the same time."""

ALL_LEARNED, ONE_OF = 100_000, 4
"""Looks in visits from which the ranker learns all, and after which it learns one of so many: a list costs what it costs."""

RECENT = 100
"""Latest ended visits of a product that are compared."""

MEGABYTES, BYTES_OF_PRODUCT = 64, 40
"""Memory for ended visits, and what a product of one takes."""

MOST_DISMISSED = 200
"""Products that a shopper does not want to see, the latest."""

VISITING, VISITS, DISMISSED, SUMS = PARTS = ("visiting", "visits", "dismissed", "browsing")


@dataclass(slots=True)
class Visit:
    """A visit that goes on.

    ``products``: each with what was done with it last, oldest first. ``steps`` and ``times``: of each the number of its last
    act in the visit, and its acts. ``turn``: grows with every act of any shopper, so that visits can be put in order. ``at``:
    the latest instant of its acts. ``clock``: the shop's clock at its last act. ``counted``: whether it taught anything.
    """

    at: int
    clock: int = 0
    counted: bool = False
    turn: int = 0
    acts: int = 0
    products: dict[str, str] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    liked: dict[str, None] = field(default_factory=dict)
    searched: dict[str, None] = field(default_factory=dict)

    def latest(self, count: int) -> list[str]:
        """Return products, the latest first."""
        return list(self.products)[: -count - 1 : -1]

    def act(self, product: str, kind: str) -> None:
        """Add an act with a product."""
        self.acts += 1
        add(self.products, product, kind)
        self.steps[product] = self.acts
        self.times[product] = self.times.get(product, 0) + 1
        if len(self.steps) > len(self.products):
            self.drop(next(iter(self.steps.keys() - self.products.keys())))

    def drop(self, product: str) -> None:
        for held in (self.products, self.steps, self.times, self.liked):
            held.pop(product, None)

    def to_text(self) -> str:
        products = [(product, did, self.steps[product], self.times[product]) for product, did in self.products.items()]
        instants = (self.turn, self.at, self.clock, int(self.counted), self.acts)
        return json.dumps([*instants, products, list(self.liked), list(self.searched)])

    @classmethod
    def from_text(cls, text: str) -> Visit:
        turn, at, clock, counted, acts, products, liked, searched = json.loads(text)
        visit = cls(at, clock, bool(counted), turn, acts, liked=dict.fromkeys(liked), searched=dict.fromkeys(searched))
        for product, did, step, times in products:
            visit.products[product], visit.steps[product], visit.times[product] = did, step, times
        return visit


class ShopClock:
    """The median of the latest instants of the last five shoppers; of an even number the lower one. It never goes back.

    With one shopper it stands still.

    >>> clock = ShopClock()
    >>> for shopper, at in (("ann", 5), ("ahead", 10**6), ("bob", 6), ("ann", 7)): clock.learn_one(shopper, at)
    >>> clock.now
    7
    """

    def __init__(self, now: int = 0, latest: Mapping[str, int] | None = None) -> None:
        self.now = now
        self.latest: dict[str, int] = dict(latest or {})  # by shopper, the last one last

    def copy(self) -> ShopClock:
        return ShopClock(self.now, self.latest)

    def forget(self, shopper: str) -> bool:
        """Take a shopper out, and return whether they were among the five."""
        return self.latest.pop(shopper, None) is not None

    def learn_one(self, shopper: str, at: int) -> None:
        add(self.latest, shopper, max(at, self.latest.get(shopper, at)), SOURCES)
        if len(self.latest) > 1:
            self.now = max(self.now, sorted(self.latest.values())[(len(self.latest) - 1) // 2])


class EndedVisits:
    """Visits of two products or more that ended, as numbers of products, with an index by product.

    >>> ended = EndedVisits()
    >>> ended.add(1, [0, 1]); ended.add(2, [1, 2])
    >>> ended.with_products([1]).tolist(), ended.products_of(np.array([1, 2]))[0].tolist()
    ([1, 2], [0, 1, 1, 2])
    """

    def __init__(self, most: int = MEGABYTES * 2**20 // BYTES_OF_PRODUCT) -> None:
        self.most = most
        self.oldest = self.next = 1  # numbers of the visits held: oldest ≤ number < next
        self._flat: Numbers = np.zeros(1024, np.int64)
        self._starts: Numbers = np.zeros(256, np.int64)  # of visit ``_base`` + n, and where the last one ends
        self._base = 1
        self._index: dict[int, Numbers] = {}
        self._sizes: dict[int, int] = {}

    def __len__(self) -> int:
        return self.next - self.oldest

    def add(self, number: int, products: list[int]) -> None:
        """Add a visit. Numbers are consecutive."""
        if self.oldest == self.next:
            self.oldest = self.next = self._base = number
            self._starts[0] = 0
        place = number - self._base
        start = int(self._starts[place])
        end = start + len(products)
        if end > len(self._flat):
            self._flat = np.concatenate((self._flat, np.zeros_like(self._flat)))
        if place + 2 > len(self._starts):
            self._starts = np.concatenate((self._starts, np.zeros_like(self._starts)))
        self._flat[start:end] = products
        self._starts[place + 1] = end
        self.next = number + 1
        for product in products:
            self._add_to_index(product, number)

    def drop(self) -> int | None:
        """Forget the oldest visit if there are too many products, and return its number."""
        first, last = self.oldest - self._base, self.next - self._base
        if self._starts[last] - self._starts[first] <= self.most:
            return None
        self.oldest += 1
        if first > 1024 and first > last // 2:
            self._compact(first + 1)
        return self.oldest - 1

    def with_products(self, products: list[int]) -> Numbers:
        """Return the numbers of the latest visits that had any of these products, in ascending order."""
        found = [self._index[p][max(0, self._sizes[p] - RECENT) : self._sizes[p]] for p in products if p in self._index]
        if not found:
            return np.zeros(0, np.int64)
        numbers = np.sort(np.concatenate(found)) if len(found) > 1 else found[0]
        new = np.ones(len(numbers), bool)
        np.not_equal(numbers[1:], numbers[:-1], out=new[1:])
        new &= numbers >= self.oldest
        return numbers[new]

    def products_of(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """Return the products of some visits one after the other, and how many each has."""
        places = numbers - self._base
        starts = self._starts[places]
        lengths = self._starts[places + 1] - starts
        ends = lengths.cumsum()
        if not len(ends):
            return np.zeros(0, np.int64), lengths
        return self._flat[np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1])], lengths

    def _add_to_index(self, product: int, number: int) -> None:
        held, size = self._index.get(product), self._sizes.get(product, 0)
        if held is None:
            held = self._index[product] = np.zeros(4, np.int64)
        elif size == len(held):
            if size >= 2 * RECENT:
                held[:RECENT] = held[size - RECENT :]
                size = RECENT
            else:
                held = self._index[product] = np.concatenate((held, np.zeros_like(held)))
        held[size] = number
        self._sizes[product] = size + 1

    def _compact(self, first: int) -> None:
        start, last = int(self._starts[first]), self.next - self._base
        self._flat = self._flat[start:].copy()
        self._starts = self._starts[first : last + 1] - start
        self._base += first


class Visits:
    """Visits that go on, by shopper, and those that ended; ``dismissed`` holds what each shopper does not want to see.

    >>> numbers = {"tea": 0, "pot": 1}
    >>> visits = Visits(numbers.__getitem__)
    >>> for product in ("tea", "pot"): visits.visit("m.ann", 0).act(product, "view")
    >>> visits.visit("m.ann", IDLE + 1).act("tea", "view")
    >>> list(visits.live["m.ann"].products)
    ['tea']
    """

    def __init__(self, number: Callable[[str], int]) -> None:
        self._number = number  # of a product
        self.live: OrderedDict[str, Visit] = OrderedDict()  # the longest idle first
        self.ended = EndedVisits()
        self.dismissed: dict[str, dict[str, None]] = {}
        self.number = 0
        self.time = ShopClock()
        self._passed = False  # whether the sums differ from what is stored
        self.turn = 0
        self.looks = 0  # in visits that had begun
        self.learning = True
        self.gone: list[str] = []  # shoppers whose visit ended since the last dump
        self._touched: set[str] = set()
        self._refused: set[str] = set()
        self._moved: dict[int, str | None] = {}  # ended visits that came or went since the last dump

    def visit(self, shopper: str, at: int) -> Visit:
        """Return a shopper's visit as it goes on now, or as it begins."""
        self.pass_time(shopper, at)
        visit = self.live.get(shopper)
        if visit is None:
            visit = self.live[shopper] = Visit(at)
            if len(self.live) > MOST_LIVE:
                self._end(next(iter(self.live)))
        else:
            self.live.move_to_end(shopper)
        self.turn += 1
        visit.at, visit.clock, visit.turn = max(visit.at, at), self.clock, self.turn
        self._touched.add(shopper)
        return visit

    @property
    def clock(self) -> int:
        """Return the shop's time."""
        return self.time.now

    def pass_time(self, shopper: str, at: int) -> None:
        """End the visits that are over by now, of which a shopper's act tells. An act that comes late counts as done now."""
        self.time.learn_one(shopper, at)
        self._passed = True
        visit = self.live.get(shopper)
        if visit is not None and visit.at < at - IDLE:
            self._end(shopper)
        while self.live:
            idle, visit = next(iter(self.live.items()))
            if visit.clock >= self.clock - IDLE:
                break
            if min(visit.at, self.clock) >= self.clock - IDLE:  # the shop's clock was behind at the visit's last act
                self._wait(idle, visit)
            else:
                self._end(idle)

    def _wait(self, shopper: str, visit: Visit) -> None:
        """Give a visit another half hour of the shop's clock. Visits stay in the order of ``clock``."""
        self.turn += 1
        visit.at, visit.clock = min(visit.at, self.clock), self.clock
        visit.turn = self.turn
        self.live.move_to_end(shopper)
        self._touched.add(shopper)

    def due(self) -> bool:
        """Count a look in a visit that has begun, and return whether the ranker is to learn from it."""
        self.looks += 1
        return self.looks <= ALL_LEARNED or self.looks % ONE_OF == 0

    def refuse(self, shopper: str, product: str, at: int) -> None:
        """A shopper does not want to see a product."""
        self.visit(shopper, at).drop(product)
        add(self.dismissed.setdefault(shopper, {}), product, None, MOST_DISMISSED)
        self._refused.add(shopper)

    def give_back(self, shopper: str, products: Iterable[str]) -> None:
        """A shopper gives back what they bought: in a visit that goes on, they have it in the cart at the most."""
        if (visit := self.live.get(shopper)) is not None:
            for product in products:
                if visit.products.get(product) == "buy":
                    visit.products[product] = "cart"
                    self._touched.add(shopper)

    def want(self, shopper: str, product: str) -> None:
        """A shopper likes what they may have dismissed before."""
        if product in self.dismissed.get(shopper, ()):
            del self.dismissed[shopper][product]
            self._refused.add(shopper)

    def unwanted(self, shopper: str) -> Mapping[str, None]:
        return self.dismissed.get(shopper, {})

    def forget(self, shopper: str) -> None:
        """End a visit as if it had not been."""
        if self.time.forget(shopper):
            self._passed = True
        if self.live.pop(shopper, None) is not None:
            self._touched.discard(shopper)
            self.gone.append(shopper)
        if self.dismissed.pop(shopper, None) is not None:
            self._refused.add(shopper)

    def _end(self, shopper: str) -> None:
        visit = self.live.pop(shopper)
        self._touched.discard(shopper)
        self.gone.append(shopper)
        if is_guest(shopper) and self.dismissed.pop(shopper, None) is not None:
            self._refused.add(shopper)
        if len(visit.products) > 1 and visit.counted and self.learning:
            self.number += 1
            self.ended.add(self.number, [self._number(product) for product in visit.products])
            self._moved[self.number] = json.dumps(list(visit.products))
            while (oldest := self.ended.drop()) is not None:
                self._moved[oldest] = None

    # State

    def dump(self, delta: Delta) -> None:
        """Write what changed since the last time."""
        for shopper in self.gone:
            if shopper not in self.live:
                delta.fields[VISITING][shopper] = None
        for shopper in self._touched:
            delta.fields[VISITING][shopper] = self.live[shopper].to_text()
        for shopper in self._refused:
            unwanted = self.dismissed.get(shopper)
            delta.fields[DISMISSED][shopper] = json.dumps(list(unwanted)) if unwanted else None
        if self._moved:
            delta.fields[VISITS].update((str(number), text) for number, text in self._moved.items())
        if self._passed:
            self._passed = False
            latest = json.dumps(self.time.latest)
            delta.fields[SUMS].update(number=self.number, clock=self.clock, latest=latest, turn=self.turn, looks=self.looks)
        for done in (self.gone, self._touched, self._refused, self._moved):
            done.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state from where it was written. The numbers of products must be known."""
        visits = {shopper: Visit.from_text(text) for shopper, text in maps.get(VISITING, {}).items()}
        self.live.update(sorted(visits.items(), key=lambda item: item[1].turn))
        for number, text in sorted((int(number), text) for number, text in maps.get(VISITS, {}).items()):
            self.ended.add(number, [self._number(product) for product in json.loads(text)])
        for shopper, text in maps.get(DISMISSED, {}).items():
            self.dismissed[shopper] = dict.fromkeys(json.loads(text))
        if sums := maps.get(SUMS):
            self.number, self.turn, self.looks = (int(sums[name]) for name in ("number", "turn", "looks"))
            self.time = ShopClock(int(sums["clock"]), json.loads(sums["latest"]))


def add(kept: dict[str, T], name: str, value: T, most: int = REMEMBERED) -> None:
    """Put a name last, and drop the first if there are too many."""
    kept.pop(name, None)
    kept[name] = value
    if len(kept) > most:
        del kept[next(iter(kept))]


def is_guest(shopper: str) -> bool:
    return shopper.startswith("s.")
