"""What each shopper has counted for: visitors are counted, not acts, so one shopper or one bot cannot rule a list.

A shopper counts once a day for a look at a product, for a step from one product to another, and for a guest's purchase. The day
of looks is one of the shop's clock; that of a purchase is its own.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aggregates.delta import Delta

DAY = 86_400_000
"""Milliseconds."""

MOST = 50_000
"""Shoppers who are remembered: those whose day began last."""

MOST_PRODUCTS = 100
"""Products of a shopper and a day that count. Who looks at more teaches nothing of the others."""

MOST_LOOKS = 10
"""Looks of a shopper at a product and a day from which the ranker learns: who comes back to a product says something, too."""

KINDS = ("view", "like", "cart", "buy")
FIRST, LOOKS = range(len(KINDS), len(KINDS) + 2)

MET, TURN = "met", "turn"
"""The map, and its field that is no shopper."""


@dataclass(slots=True)
class Met:
    """What a shopper did in a day that began at ``since`` by the shop's clock.

    ``products``: of each the number of its latest act that counted, by kind, then that of its first act, then its looks up to
    :data:`MOST_LOOKS`. ``bought``: what was bought on ``bought_on``, days since the epoch. ``turn``: grows with every day that
    begins, so that shoppers have an order.
    """

    since: int
    turn: int
    step: int = 0
    products: dict[str, list[int]] = field(default_factory=dict)
    bought_on: int = 0
    bought: dict[str, None] = field(default_factory=dict)

    def to_text(self) -> str:
        return json.dumps([self.since, self.turn, self.step, self.products, self.bought_on, list(self.bought)])

    @classmethod
    def from_text(cls, text: str) -> Met:
        since, turn, step, products, bought_on, bought = json.loads(text)
        return cls(since, turn, step, products, bought_on, dict.fromkeys(bought))


class Visitors:
    """What shoppers have counted for.

    >>> visitors = Visitors()
    >>> visitors.learn_one("s.1", "tea", "view", [], 0), visitors.learn_one("s.1", "pot", "view", ["tea"], 0)
    ((True, [], True), (True, ['tea'], True))
    >>> visitors.learn_one("s.1", "tea", "view", ["pot"], 0), visitors.learn_one("s.1", "pot", "view", ["tea"], 0)
    ((False, ['pot'], True), (False, [None], True))
    """

    def __init__(self) -> None:
        self.met: OrderedDict[str, Met] = OrderedDict()  # the oldest day first
        self.turn = 0
        self._changed: set[str] = set()

    def learn_one(
        self, shopper: str, product: str, kind: str, before: Sequence[str], now: int
    ) -> tuple[bool, list[str | None], bool]:
        """Learn an act, and return what of it counts: the act itself, and steps from products ``before`` it.

        A step that does not count is None. It has counted if the product was met after the other one before. The last value
        says whether it is a look from which the ranker learns.
        """
        met = self._day(shopper, now)
        steps = met.products.get(product)
        if steps is None:
            if len(met.products) >= MOST_PRODUCTS:
                return False, [None] * len(before), False
            steps = met.products[product] = [0] * (LOOKS + 1)
        column = KINDS.index(kind)
        last = steps[column]
        counted = [other if other in met.products and met.products[other][FIRST] > last else None for other in before]
        if not last or any(other is not None for other in counted):
            met.step += 1
            steps[column] = met.step
            steps[FIRST] = steps[FIRST] or met.step
            self._changed.add(shopper)
        teaches = kind == "view" and steps[LOOKS] < MOST_LOOKS
        if teaches:
            steps[LOOKS] += 1
            self._changed.add(shopper)
        return not last, counted, teaches

    def buy(self, shopper: str, basket: Sequence[str], at: int, now: int) -> list[bool]:
        """Learn a basket, and return of each product whether it counts."""
        met, day = self._day(shopper, now), at // DAY
        if met.bought_on != day:
            met.bought_on, met.bought = day, {}
        counted = [product not in met.bought and len(met.bought) < MOST_PRODUCTS for product in basket]
        met.bought.update((product, None) for product, counts in zip(basket, counted, strict=True) if counts)
        self._changed.add(shopper)
        return counted

    def forget(self, shopper: str) -> None:
        if self.met.pop(shopper, None) is not None:
            self._changed.add(shopper)

    def _day(self, shopper: str, now: int) -> Met:
        """Return what a shopper did today, and forget the days that are over."""
        while self.met:
            oldest = next(iter(self.met.values()))
            if oldest.since > now - DAY:
                break
            if oldest.since:
                self._drop_oldest()
            else:  # it began before the shop's clock did
                self._begin_all(now)
        met = self.met.get(shopper)
        if met is None:
            self.turn += 1
            met = self.met[shopper] = Met(now, self.turn)
            if len(self.met) > MOST:
                self._drop_oldest()
        return met

    def _begin_all(self, now: int) -> None:
        """Begin the days of those who came before the shop's clock was known."""
        for shopper, met in self.met.items():
            if not met.since:
                met.since = now
                self._changed.add(shopper)

    def _drop_oldest(self) -> None:
        shopper, _ = self.met.popitem(last=False)
        self._changed.add(shopper)

    # State

    def dump(self, delta: Delta) -> None:
        """Write what changed since the last time."""
        if self._changed:
            delta.fields[MET][TURN] = self.turn
        for shopper in self._changed:
            met = self.met.get(shopper)
            delta.fields[MET][shopper] = None if met is None else met.to_text()
        self._changed.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state from where it was written."""
        if fields := maps.get(MET):
            self.turn = int(fields[TURN])
            found = {shopper: Met.from_text(text) for shopper, text in fields.items() if shopper != TURN}
            self.met.update(sorted(found.items(), key=lambda item: item[1].turn))
