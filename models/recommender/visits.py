"""What every shopper is looking at now, and the visits that went before: bounded, and forgotten by the shop's own time.

A visit ends when its shopper has done nothing for half an hour; so does a guest's session. The clock is the latest instant that
the log has told, so a year imported in a minute ends its visits as the year did.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from models.recommender.strongest import strongest

T = TypeVar("T")

IDLE = 30 * 60_000
"""Milliseconds of event time after which a visit is over."""

REMEMBERED = 30
"""Distinct products of a visit that are kept, the latest."""

MOST_LIVE = 50_000
MOST_CLOSED = 10_000
"""Visits in memory: those going on, and those that went before and had two products or more."""


@dataclass(slots=True)
class Visit:
    """``products``: each with what was done with it last, oldest first; ``searched``: texts, oldest first.

    ``turn``: grows with every act of any shopper, so that visits can be put in their order again.
    """

    at: int
    turn: int = 0
    products: dict[str, str] = field(default_factory=dict)
    liked: dict[str, None] = field(default_factory=dict)
    searched: dict[str, None] = field(default_factory=dict)

    def latest(self, count: int) -> list[str]:
        """Products, the latest first."""
        return list(self.products)[: -count - 1 : -1]


class Visits:
    """
    >>> visits = Visits()
    >>> for product in ("tea", "pot"): visits.learn_one("ann", product, "view", at=0)
    >>> visits.learn_one("bob", "cup", "view", at=IDLE + 1)
    >>> list(visits.live), list(visits.closed.items()), visits.with_product("tea", 9)
    (['bob'], [(1, ('tea', 'pot'))], [1])
    """

    def __init__(self, over: Callable[[str], None] = lambda _: None) -> None:
        self._over = over  # told of each shopper whose visit ends
        self.live: OrderedDict[str, Visit] = OrderedDict()  # the longest idle first
        self.closed: OrderedDict[int, tuple[str, ...]] = OrderedDict()
        self.number = 0
        self.clock = 0
        self.learning = True  # visits that end join those that went before
        self.turn = 0
        self.touched: set[str] = set()  # shoppers whose visit is not as it was written last
        self.ended: list[str] = []  # shoppers whose visit ended since then
        self.moved: set[int] = set()  # closed visits that came or went since then
        self._index: dict[str, deque[int]] = {}

    def learn_one(self, shopper: str, product: str, kind: str, at: int) -> None:
        """A shopper did something with a product. What comes late counts as done now."""
        add(self.visit(shopper, at).products, product, kind)

    def visit(self, shopper: str, at: int) -> Visit:
        """A shopper's visit as it goes on now, or as it begins."""
        self.pass_time(at)
        visit = self.live.get(shopper)
        if visit is None:
            visit = self.live[shopper] = Visit(self.clock)
            if len(self.live) > MOST_LIVE:
                self._end(next(iter(self.live)))
        else:
            self.live.move_to_end(shopper)
        self.turn += 1
        visit.at, visit.turn = self.clock, self.turn
        self.touched.add(shopper)
        return visit

    def pass_time(self, at: int) -> None:
        """End the visits that are over by now."""
        self.clock = max(self.clock, at)
        while self.live:
            shopper, visit = next(iter(self.live.items()))
            if visit.at >= self.clock - IDLE:
                break
            self._end(shopper)

    def forget(self, shopper: str) -> None:
        """End a visit as if it had not been."""
        if self.live.pop(shopper, None) is not None:
            self._ended(shopper)

    def with_product(self, product: str, count: int) -> list[int]:
        """The latest closed visits that had a product, the latest first."""
        numbers = self._index.get(product)
        return list(islice(reversed(numbers), count)) if numbers else []

    def close(self, number: int, products: tuple[str, ...]) -> None:
        """Add a visit to those that went before; numbers only grow."""
        self.number = max(self.number, number)
        self.closed[number] = products
        for product in products:
            self._index.setdefault(product, deque()).append(number)
        if len(self.closed) > MOST_CLOSED:
            oldest, had = self.closed.popitem(last=False)
            self.moved.add(oldest)
            for product in had:
                self._index[product].popleft()
                if not self._index[product]:
                    del self._index[product]

    def neighbours(self, products: list[str], recent: int, kept: int) -> Iterator[tuple[float, tuple[str, ...]]]:
        """The closed visits most like one, with how like they are: a vector session-kNN with linear weights by place.

        ``products``: of the visit at hand, the latest first. Source: V-SKNN (Ludewig and Jannach, 2018), in its simplest form.
        """
        alike: dict[int, float] = {}
        for place, product in enumerate(products):
            weight = 1.0 - place / len(products)
            for number in self.with_product(product, recent):
                alike[-number] = alike.get(-number, 0.0) + weight  # of two that are as like, the later one comes first
        for number, likeness in strongest(alike, kept):
            yield likeness, self.closed[-number]

    def _end(self, shopper: str) -> None:
        visit = self.live.pop(shopper)
        self._ended(shopper)
        if self.learning and len(visit.products) > 1:
            self.close(self.number + 1, tuple(visit.products))
            self.moved.add(self.number)

    def _ended(self, shopper: str) -> None:
        self.touched.discard(shopper)
        self.ended.append(shopper)
        self._over(shopper)


def add(kept: dict[str, T], name: str, value: T) -> None:
    """Put a name last, and let the first go when there are too many."""
    kept.pop(name, None)
    kept[name] = value
    if len(kept) > REMEMBERED:
        del kept[next(iter(kept))]
