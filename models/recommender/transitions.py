"""From one product to another within a visit: how often, in which direction, how far apart, and what was done.

Every act with a product is counted for up to ten products before it in the visit. A look adds 1/distance to the way forward
from each of them, and to the way back; the one right before it counts as followed. Other acts (a like, a cart, a purchase)
add a weight by type (those of OTTO's winners, recommendations 3; a like weighs as a purchase).

Memory is bounded in megabytes, not by a number of visits: a product keeps its strongest paths, and the products that nobody
has looked at for longest lose theirs first. A product's paths are put in order of their strength whenever they have grown by a
fifth, so that the first of them are those to propose.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
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

OTHER, FORWARD, NEXT, BACK, ACTED, BOTH = range(6)
"""Columns of :attr:`Paths.table`: the other product; the way forward, followed at once, the way back, other acts; and the sum
of both ways."""

GROWTH = 1.2
"""The paths of a product are put in order anew when they have grown by this factor."""

UNORDERED = 8
"""Paths up to which no order is needed."""

KEPT = 150
"""Paths of a product that pruning keeps; it may have twice as many until then."""

MEGABYTES, BYTES_OF_PATH = 128, 170
"""Memory for all paths, and what one takes (measured with its share of the tables)."""

HALF_LIVES = (2 * 3_600_000.0, 24 * 3_600_000.0, 30 * 86_400_000.0)
"""Milliseconds in which a look loses half its weight: for the hour, the day and the month."""

HOTTEST = 60
"""Products with most heat that are kept."""

LONG_AGO = -1e18
COLD = -60.0
"""Log2 of the least heat that counts."""

PATHS, LOOKS = PARTS = ("paths", "looks")
ALL = "all"
"""The field of a product's paths."""


class Looks:
    """How often products were looked at, and their heat. A product's number is the order in which it was first met.

    ``table`` has a row a product: its looks and, by half-life, log2 of its heat plus the half-lives since the epoch, which only
    grows and never overflows.

    >>> looks = Looks()
    >>> looks.learn_one(looks.number("tea"), 0); looks.learn_one(looks.number("tea"), int(HALF_LIVES[0]))
    >>> heats(looks.table[:1, 1:], int(HALF_LIVES[0]))[0, 0].round(6).tolist()
    1.5
    """

    def __init__(self) -> None:
        self.products: list[str] = []
        self.numbers: dict[str, int] = {}
        self.table: Floats = empty_looks(256)
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
        count, *held = self.table[number].tolist()
        for place, half_life in enumerate(HALF_LIVES):
            age, before = now / half_life, held[place]
            held[place] = age + (log2(2.0 ** (before - age) + 1) if before - age > COLD else 0.0)
            self.hottest[place].grow(number, held[place])
        self.table[number] = (count + 1, *held)
        self.changed.add(number)

    def count(self, product: str) -> int:
        """Return how often a product was looked at."""
        return int(self.table[self.numbers[product], 0])

    def restore(self, product: str, number: int, count: float, heat: Sequence[float]) -> None:
        self.numbers[product] = number
        self._grow(number)
        self.products.extend([""] * (number + 1 - len(self.products)))
        self.products[number] = product
        self.table[number] = (count, *heat)
        if count:
            for leaders, value in zip(self.hottest, heat, strict=True):
                leaders.grow(number, value)

    def _grow(self, number: int) -> None:
        while number >= len(self.table):
            self.table = np.concatenate((self.table, empty_looks(len(self.table))))


def empty_looks(size: int) -> Floats:
    table: Floats = np.full((size, 1 + len(HALF_LIVES)), LONG_AGO)
    table[:, 0] = 0
    return table


def heats(logs: Floats, now: int) -> Floats:
    """Return heat as of now. ``logs``: a row a product, as :attr:`Looks.table` has it."""
    found: Floats = np.exp2(np.maximum(logs - [now / half_life for half_life in HALF_LIVES], COLD))
    return found


class Paths:
    """The paths from one product, in the order in which they were last put.

    ``totals``: the sums of :attr:`table` by column.
    """

    __slots__ = ("_ordered", "places", "table", "totals")

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        self.table: Floats = np.zeros((8, 6))
        self.totals = [0.0] * 6
        self._ordered = 0.0  # strength of all paths when they were last put in order

    def __len__(self) -> int:
        return len(self.places)

    def add(self, kind: int, other: int, by: float) -> None:
        place = self.places.get(other)
        if place is None:
            place = self.places[other] = len(self.places)
            if place == len(self.table):
                self.table = np.concatenate((self.table, np.zeros_like(self.table)))
            self.table[place, OTHER] = other
        self.table[place, kind] += by
        self.totals[kind] += by
        if kind in (FORWARD, BACK):
            self.table[place, BOTH] += by
            self.totals[BOTH] += by

    def put_in_order(self) -> None:
        """Put the strongest first, if they have grown enough."""
        if len(self.places) > UNORDERED:
            whole = self.totals[BOTH] + ONE * self.totals[ACTED]
            if whole >= GROWTH * self._ordered:
                self._ordered = whole
                self._keep(self._order())

    def prune(self, kept: int) -> list[int]:
        """Keep the strongest, and return the others."""
        order = self._order()
        gone: list[int] = self.table[order[kept:], OTHER].astype(int).tolist()
        self._keep(order[:kept])
        self.totals = [0.0, *self.table[: len(self), 1:].sum(axis=0).tolist()]
        return gone

    def _order(self) -> Numbers:
        table = self.table[: len(self)]
        order: Numbers = np.lexsort((table[:, OTHER], -table[:, BOTH] - ONE * table[:, ACTED]))
        return order

    def _keep(self, order: Numbers) -> None:
        size = len(order)
        self.table[:size] = self.table[order]
        self.table[size:] = 0
        self.places = {other: place for place, other in enumerate(self.table[:size, OTHER].astype(int).tolist())}

    def to_text(self) -> str:
        """Return all paths in their order, as whole numbers of four bytes if they are small enough."""
        columns = self.table[: len(self), :BOTH]
        kind = "<u4" if columns.max(initial=0) < 2**32 else "<u8"
        return f"{kind} {self._ordered:.0f} {b64encode(columns.astype(kind).tobytes()).decode()}"

    @classmethod
    def from_text(cls, text: str) -> Paths:
        kind, ordered, columns = text.split(" ")
        paths = cls()
        read = np.frombuffer(b64decode(columns), kind).reshape(-1, BOTH).astype(np.float64)
        size = len(read)
        paths.table = np.zeros((max(8, size), 6))
        paths.table[:size, :BOTH] = read
        paths.table[:size, BOTH] = read[:, FORWARD] + read[:, BACK]
        paths.totals = [0.0, *paths.table[:, 1:].sum(axis=0).tolist()]
        paths.places = {other: place for place, other in enumerate(read[:, OTHER].astype(int).tolist())}
        paths._ordered = float(ordered)
        return paths


class TransitionCounts:
    """All paths between products.

    >>> transitions = TransitionCounts()
    >>> transitions.learn_one("tea", "view", [], 0); transitions.learn_one("pot", "view", ["tea"], 0)
    >>> transitions.paths[0].table[0].tolist()
    [1.0, 2520.0, 1.0, 0.0, 0.0, 2520.0]
    """

    def __init__(self, most: int = MEGABYTES * 2**20 // BYTES_OF_PATH) -> None:
        self.looks = Looks()
        self.most = most
        self.paths: dict[int, Paths] = {}
        self.sizes: OrderedDict[int, int] = OrderedDict()  # paths of each product, those not looked at for longest first
        self.total = 0
        self.turn = 0
        self._turns: dict[int, int] = {}
        self._changed: set[int] = set()
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
            else:
                theirs.add(ACTED, number, WEIGHTS[kind])
            self._end_of_step(other, theirs)
        if mine is not None:
            self._end_of_step(number, mine)
        while self.total > self.most:
            self._drop_oldest()

    def _touch(self, number: int) -> None:
        """Put a product last among those that lose their paths first."""
        self.turn += 1
        self._turns[number] = self.turn
        if number in self.sizes:
            self.sizes.move_to_end(number)
        self.looks.changed.add(number)

    def _end_of_step(self, number: int, paths: Paths) -> None:
        self._changed.add(number)
        if len(paths) > 2 * KEPT:
            paths.prune(KEPT)
        paths.put_in_order()
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
        self._changed.discard(number)
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
        for number in self._changed:
            delta.fields[f"{PATHS}:{names[number]}"][ALL] = self.paths[number].to_text()
        for number in looks.changed:
            count, *heat = looks.table[number].tolist()
            counts = f"{count:.0f} {self._turns.get(number, 0)} {self.sizes.get(number, 0)}"
            delta.fields[LOOKS][names[number]] = f"{number} {counts} {' '.join(map(repr, heat))}"
        for done in (looks.changed, self._changed, self._dropped):
            done.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state from where it was written: all looks first, then paths of some products."""
        if fields := maps.get(LOOKS):
            self._load_looks(fields)
        for key, fields in maps.items():
            if ALL in fields and key.startswith(f"{PATHS}:"):
                self.paths[self.looks.numbers[key.partition(":")[2]]] = Paths.from_text(fields[ALL])

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
