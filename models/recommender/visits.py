"""What every shopper is doing now: bounded, and forgotten by the shop's own clock.

A visit ends when its shopper comes back after half an hour without an act, by the instants of their own acts. Visits whose
shopper does not come back are cleaned up by the shop's clock: the median of the latest instants of the last five shoppers,
which one clock that is ahead cannot move. A year that is imported in a minute ends its visits as the year did.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from aggregates.delta import Delta

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

ALL_MEASURED, MEASURED_OF = 5_000, 8
"""Looks that are learned from and all held against the lists, and after which one of so many is."""

MOST_DISMISSED = 200
"""Products that a shopper does not want to see, the latest."""

VISITING, DISMISSED, SUMS = PARTS = ("visiting", "dismissed", "browsing")


@dataclass(slots=True)
class Visit:
    """A visit that goes on.

    ``products``: each with what was done with it last, oldest first. ``steps`` and ``times``: of each the number of its last
    act in the visit, and its acts. ``turn``: grows with every act of any shopper, so that visits can be put in order. ``at``:
    the latest instant of its acts. ``clock``: the shop's clock at its last act.
    """

    at: int
    clock: int = 0
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
        return json.dumps([self.turn, self.at, self.clock, self.acts, products, list(self.liked), list(self.searched)])

    @classmethod
    def from_text(cls, text: str) -> Visit:
        turn, at, clock, acts, products, liked, searched = json.loads(text)
        visit = cls(at, clock, turn, acts, liked=dict.fromkeys(liked), searched=dict.fromkeys(searched))
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


class Visits:
    """Visits that go on, by shopper; ``dismissed`` holds what each shopper does not want to see.

    >>> visits = Visits()
    >>> for product in ("tea", "pot"): visits.visit("m.ann", 0).act(product, "view")
    >>> visits.visit("m.ann", IDLE + 1).act("tea", "view")
    >>> list(visits.live["m.ann"].products)
    ['tea']
    """

    def __init__(self) -> None:
        self.live: OrderedDict[str, Visit] = OrderedDict()  # the longest idle first
        self.dismissed: dict[str, dict[str, None]] = {}
        self.time = ShopClock()
        self._passed = False  # whether the sums differ from what is stored
        self.turn = 0
        self.looks = 0  # in visits that had begun
        self.gone: list[str] = []  # shoppers whose visit ended since the last dump
        self._touched: set[str] = set()
        self._refused: set[str] = set()
        self._told: tuple[str, int] | None = None  # the act that has moved the clock last

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
        self._passed = True
        if self._told == (shopper, at):
            return
        self._told = shopper, at
        self.time.learn_one(shopper, at)
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

    def due(self) -> tuple[bool, bool]:
        """Count a look in a visit that has begun, and return whether the ranker learns from it, and whether it is measured."""
        self.looks += 1
        one_of = 1 if self.looks <= ALL_LEARNED else ONE_OF
        learned = self.looks % one_of == 0
        return learned, learned and (self.looks <= ALL_MEASURED or self.looks // one_of % MEASURED_OF == 0)

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
        self._told = None
        if self.time.forget(shopper):
            self._passed = True
        if self.live.pop(shopper, None) is not None:
            self._touched.discard(shopper)
            self.gone.append(shopper)
        if self.dismissed.pop(shopper, None) is not None:
            self._refused.add(shopper)

    def _end(self, shopper: str) -> None:
        del self.live[shopper]
        self._touched.discard(shopper)
        self.gone.append(shopper)
        if is_guest(shopper) and self.dismissed.pop(shopper, None) is not None:
            self._refused.add(shopper)

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
        if self._passed:
            self._passed = False
            latest = json.dumps(self.time.latest)
            delta.fields[SUMS].update(clock=self.clock, latest=latest, turn=self.turn, looks=self.looks)
        for done in (self.gone, self._touched, self._refused):
            done.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state from where it was written."""
        visits = {shopper: Visit.from_text(text) for shopper, text in maps.get(VISITING, {}).items()}
        self.live.update(sorted(visits.items(), key=lambda item: item[1].turn))
        for shopper, text in maps.get(DISMISSED, {}).items():
            self.dismissed[shopper] = dict.fromkeys(json.loads(text))
        if sums := maps.get(SUMS):
            self.turn, self.looks = int(sums["turn"]), int(sums["looks"])
            self.time = ShopClock(int(sums["clock"]), json.loads(sums["latest"]))


def add(kept: dict[str, T], name: str, value: T, most: int = REMEMBERED) -> None:
    """Put a name last, and drop the first if there are too many."""
    kept.pop(name, None)
    kept[name] = value
    if len(kept) > most:
        del kept[next(iter(kept))]


def is_guest(shopper: str) -> bool:
    return shopper.startswith("s.")
