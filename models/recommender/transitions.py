"""From one product to another within a visit: how often, in which direction, how far apart, and what was done.

Every act with a product is counted for up to ten products before it in the visit. A look adds 1/distance to the way forward
from each of them, and to the way back; the one right before it counts as followed. Other acts (a like, a cart, a purchase)
add a weight by type (those of OTTO's winners, recommendations 3; a like weighs as a purchase).

Memory is bounded in megabytes, not by a number of visits: a product keeps its strongest paths, and the products that nobody
has looked at for longest lose theirs first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from math import log2

import numpy as np

from aggregates.delta import Delta
from models.recommender.items import Floats, Numbers
from models.recommender.top_k import Leaders

DISTANCES = 10
"""Products before an act that it is counted for."""

ONE = 2520
"""Weight of a step of distance 1: divisible by every distance, so that sums are exact integers."""

WEIGHTS = {"like": 3, "cart": 6, "buy": 3}
"""Weights of acts other than a look."""

FORWARD, NEXT, BACK, ACTED = range(4)
"""Rows of :attr:`Paths.counts`: the way forward, followed at once, the way back, other acts."""

KEPT = 150
"""Paths of a product that pruning keeps; it may have twice as many until then."""

MEGABYTES, BYTES_OF_PATH = 128, 150
"""Memory for all paths, and what one takes (measured with its share of the tables)."""

HALF_LIVES = (2 * 3_600_000.0, 24 * 3_600_000.0, 30 * 86_400_000.0)
"""Milliseconds in which a look loses half its weight: for the hour, the day and the month."""

HOTTEST = 60
"""Products with most heat that are kept."""

LONG_AGO = -1e18
COLD = -60.0
"""Log2 of the least heat that counts."""

PATHS, LOOKS = PARTS = ("paths", "looks")


class Looks:
    """How often products were looked at, and their heat. A product's number is the order in which it was first met.

    ``heat`` holds, by half-life, log2 of the heat plus the half-lives since the epoch, which only grows and never overflows.

    >>> looks = Looks()
    >>> looks.learn_one(looks.number("tea"), 0); looks.learn_one(looks.number("tea"), int(HALF_LIVES[0]))
    >>> looks.heats(np.array([0]), int(HALF_LIVES[0]))[0].round(6).tolist()
    [1.5]
    """

    def __init__(self) -> None:
        self.products: list[str] = []
        self.numbers: dict[str, int] = {}
        self.count: Floats = np.zeros(256)
        self.heat: Floats = np.full((len(HALF_LIVES), 256), LONG_AGO)
        self.hottest = tuple(Leaders[int](HOTTEST) for _ in HALF_LIVES)
        self.changed: set[int] = set()

    def number(self, product: str) -> int:
        number = self.numbers.get(product)
        if number is None:
            number = self.numbers[product] = len(self.products)
            self.products.append(product)
            self._grow(number)
            self.changed.add(number)
        return number

    def learn_one(self, number: int, now: int) -> None:
        """Learn a look at a product."""
        self.count[number] += 1
        for row, half_life in enumerate(HALF_LIVES):
            age, held = now / half_life, float(self.heat[row, number])
            grown = age + (log2(2.0 ** (held - age) + 1) if held - age > COLD else 0.0)
            self.heat[row, number] = grown
            self.hottest[row].grow(number, grown)
        self.changed.add(number)

    def heats(self, numbers: Numbers, now: int) -> Floats:
        """Return the heat of products by half-life."""
        ages = np.array([now / half_life for half_life in HALF_LIVES])
        heats: Floats = 2.0 ** np.maximum(self.heat[:, numbers] - ages[:, None], COLD)
        return heats

    def restore(self, product: str, number: int, count: float, heat: Sequence[float]) -> None:
        self.numbers[product] = number
        self._grow(number)
        self.products.extend([""] * (number + 1 - len(self.products)))
        self.products[number] = product
        self.count[number], self.heat[:, number] = count, heat
        if count:
            for leaders, value in zip(self.hottest, heat, strict=True):
                leaders.grow(number, value)

    def _grow(self, number: int) -> None:
        while number >= len(self.count):
            self.count = np.concatenate((self.count, np.zeros_like(self.count)))
            self.heat = np.concatenate((self.heat, np.full_like(self.heat, LONG_AGO)), axis=1)


class Paths:
    """The paths from one product. Nothing depends on the order in which they are held."""

    __slots__ = ("counts", "others", "places", "totals")

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        self.others: Numbers = np.zeros(8, np.int64)
        self.counts: Floats = np.zeros((4, 8))
        self.totals = [0.0] * 4

    def __len__(self) -> int:
        return len(self.places)

    def add(self, kind: int, other: int, by: float) -> None:
        place = self.places.get(other)
        if place is None:
            place = self.places[other] = len(self.places)
            if place == len(self.others):
                self.others = np.concatenate((self.others, np.zeros_like(self.others)))
                self.counts = np.concatenate((self.counts, np.zeros_like(self.counts)), axis=1)
            self.others[place] = other
        self.counts[kind, place] += by
        self.totals[kind] += by

    def prune(self, kept: int) -> list[int]:
        """Keep the strongest, and return the others."""
        size = len(self)
        others, counts = self.others[:size], self.counts[:, :size]
        strength = counts[FORWARD] + counts[BACK] + ONE * counts[ACTED]
        order = np.lexsort((others, -strength))
        gone: list[int] = others[order[kept:]].tolist()
        self.others, self.counts = others[order[:kept]].copy(), counts[:, order[:kept]].copy()
        self.places = {other: place for place, other in enumerate(self.others.tolist())}
        self.totals = self.counts.sum(axis=1).tolist()
        return gone


class TransitionCounts:
    """All paths between products.

    >>> transitions = TransitionCounts()
    >>> transitions.learn_one("tea", "view", [], 0); transitions.learn_one("pot", "view", ["tea"], 0)
    >>> paths = transitions.paths[0]
    >>> paths.others[:1].tolist(), paths.counts[:, 0].tolist()
    ([1], [2520.0, 1.0, 0.0, 0.0])
    """

    def __init__(self, most: int = MEGABYTES * 2**20 // BYTES_OF_PATH) -> None:
        self.looks = Looks()
        self.most = most
        self.paths: dict[int, Paths] = {}
        self.sizes: OrderedDict[int, int] = OrderedDict()  # paths of each product, those not looked at for longest first
        self.total = 0
        self.turn = 0
        self._turns: dict[int, int] = {}
        self._changed: dict[int, set[int]] = {}
        self._dropped: set[int] = set()

    # Learning

    def learn_one(self, product: str, kind: str, before: Sequence[str | None], now: int, fresh: bool = True) -> None:
        """Learn an act.

        ``before``: other products of the visit, the latest first, None where a step does not count. ``fresh``: whether the act
        itself counts.
        """
        number = self.looks.number(product)
        if not fresh and not any(before):
            return
        if kind == "view" and fresh:
            self.looks.learn_one(number, now)
        self._touch(number)
        mine = self.paths.get(number)
        for distance, name in enumerate(before, 1):
            if name is None:
                continue
            other = self.looks.number(name)
            theirs = self.paths.get(other)
            if theirs is None:
                theirs = self.paths[other] = Paths()
            if kind == "view":
                theirs.add(FORWARD, number, ONE // distance)
                if distance == 1:
                    theirs.add(NEXT, number, 1)
                if mine is None:
                    mine = self.paths[number] = Paths()
                mine.add(BACK, other, ONE // distance)
                self._changed.setdefault(number, set()).add(other)
            else:
                theirs.add(ACTED, number, WEIGHTS[kind])
            self._changed.setdefault(other, set()).add(number)
            self._resize(other, theirs)
        if mine is not None:
            self._resize(number, mine)
        while self.total > self.most:
            self._drop_oldest()

    def _touch(self, number: int) -> None:
        """Put a product last among those that lose their paths first."""
        self.turn += 1
        self._turns[number] = self.turn
        if number in self.sizes:
            self.sizes.move_to_end(number)
        self.looks.changed.add(number)

    def _resize(self, number: int, paths: Paths) -> None:
        if len(paths) > 2 * KEPT:
            self._changed[number].update(paths.prune(KEPT))
        before = self.sizes.get(number)
        if before != len(paths):
            self.sizes[number] = len(paths)
            self.total += len(paths) - (before or 0)
            self.looks.changed.add(number)
            if before is None:
                self._touch(number)

    def _drop_oldest(self) -> None:
        number, size = self.sizes.popitem(last=False)
        self.total -= size
        self.paths.pop(number, None)
        self._changed.pop(number, None)
        self._dropped.add(number)
        self.looks.changed.add(number)

    # State

    def dropped(self) -> list[str]:
        """Return the keys of the paths that were dropped since the last time."""
        return [f"{PATHS}:{self.looks.products[number]}" for number in self._dropped]

    def dump(self, delta: Delta) -> None:
        """Write what changed since the last time: a map a product, and the looks of all of them in one."""
        looks, names = self.looks, self.looks.products
        delta.documents.update(dict.fromkeys(self.dropped()))
        for number, others in self._changed.items():
            paths, fields = self.paths[number], delta.fields[f"{PATHS}:{names[number]}"]
            for other in others:
                place = paths.places.get(other)
                known = None if place is None else " ".join(f"{count:.0f}" for count in paths.counts[:, place].tolist())
                fields[names[other]] = known
        for number in looks.changed:
            heat = " ".join(map(repr, looks.heat[:, number].tolist()))
            counts = f"{looks.count[number]:.0f} {self._turns.get(number, 0)} {self.sizes.get(number, 0)}"
            delta.fields[LOOKS][names[number]] = f"{number} {counts} {heat}"
        for done in (looks.changed, self._changed, self._dropped):
            done.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state from where it was written: all looks first, then paths of some products."""
        if fields := maps.get(LOOKS):
            self._load_looks(fields)
        for key, fields in maps.items():
            if fields and key.startswith(f"{PATHS}:"):
                paths = self.paths[self.looks.numbers[key.partition(":")[2]]] = Paths()
                for name, text in fields.items():
                    for kind, count in enumerate(map(int, text.split())):
                        paths.add(kind, self.looks.numbers[name], count)

    def _load_looks(self, fields: Mapping[str, str]) -> None:
        sizes = []
        for product, text in fields.items():
            number, count, turn, size, *heat = text.split()
            self.looks.restore(product, int(number), float(count), list(map(float, heat)))
            if int(turn):
                self._turns[int(number)] = int(turn)
            if int(size):
                sizes.append((int(turn), int(number), int(size)))
        self.sizes = OrderedDict((number, size) for _, number, size in sorted(sizes))
        self.total = sum(self.sizes.values())
        self.turn = max(self._turns.values(), default=0)
