"""What each order taught, for as long as it can be taken back: 60 days, and the latest 100,000 orders."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from aggregates.delta import Delta
from models.recommender.items import SUMS

DAYS = 60
"""Days by the shop's clock for which an order is kept. What is given back later stays bought."""

MOST = 100_000
"""Orders that are kept, the latest."""

DAY = 86_400_000

BOUGHT = "bought"


@dataclass(slots=True)
class ReceiptLine:
    """A product of an order.

    ``units``: those that were not given back. ``counted``: it was its shopper's first purchase of the product that day.
    ``since``: baskets of the member since the purchase before, 0 if there is none. ``late``: hours since the epoch as which it
    counts, if it came later than the next purchase; else 0.
    """

    units: int = 1
    counted: bool = True
    since: int = 0
    late: int = 0


@dataclass(slots=True)
class Receipt:
    """An order as it was learned.

    ``number``: its place among all orders that were learned. ``sequence``: the number of the member's basket. ``size``: its
    products. ``counted``: it counts among all baskets.
    """

    at: int
    member: str | None
    sequence: int
    size: int
    counted: bool
    products: dict[str, ReceiptLine]
    number: int = 0

    @property
    def standing(self) -> list[str]:
        """Return the products of which something was not given back."""
        return [product for product, purchase in self.products.items() if purchase.units]

    def to_text(self) -> str:
        head = (self.number, self.at, self.member, self.sequence, self.size, int(self.counted))
        plain = ReceiptLine()
        lines = [
            product if one == plain else (product, one.units, int(one.counted), one.since, one.late)
            for product, one in self.products.items()
        ]
        return json.dumps([*head, lines], separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Receipt:
        number, at, member, sequence, size, counted, lines = json.loads(text)
        products = {}
        for line in lines:
            if isinstance(line, str):
                products[line] = ReceiptLine()
            else:
                product, units, first, since, late = line
                products[product] = ReceiptLine(units, bool(first), since, late)
        return cls(at, member, sequence, size, bool(counted), products, number)


class Receipts:
    """The latest orders. Each is held as text, since few of them are ever read.

    >>> receipts = Receipts()
    >>> receipts.add("1", Receipt(0, "ann", 1, 1, True, {"tea": ReceiptLine(units=2)}), now=0)
    >>> receipts.get("1").standing, receipts.get("2")
    (['tea'], None)
    """

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[int, str]] = OrderedDict()  # the instant it is kept from, and its text
        self._of_member: dict[str, dict[str, None]] = {}
        self._changed: set[str] = set()
        self._taken = 0

    def __len__(self) -> int:
        return len(self._held)

    def add(self, order: str, receipt: Receipt, now: int) -> None:
        """Keep an order, and drop those that are too old. ``now``: the shop's clock."""
        self._taken += 1
        receipt.number = self._taken
        self._hold(order, receipt)
        self._changed.add(order)
        while self._held and (len(self._held) > MOST or next(iter(self._held.values()))[0] < now - DAYS * DAY):
            self._drop(next(iter(self._held)))

    def get(self, order: str) -> Receipt | None:
        found = self._held.get(order)
        return Receipt.from_text(found[1]) if found else None

    def change(self, order: str, receipt: Receipt) -> None:
        """Note what was given back of an order; drop it if nothing is left."""
        if receipt.standing:
            self._hold(order, receipt)
            self._changed.add(order)
        else:
            self._drop(order)

    def forget(self, member: str) -> None:
        """Drop the orders of a member who was erased."""
        for order in list(self._of_member.get(member, ())):
            self._drop(order)

    def _hold(self, order: str, receipt: Receipt) -> None:
        self._held[order] = receipt.at, receipt.to_text()
        if receipt.member is not None:
            self._of_member.setdefault(receipt.member, {})[order] = None

    def _drop(self, order: str) -> None:
        _, text = self._held.pop(order)
        member = json.loads(text)[2]
        if member is not None:
            orders = self._of_member[member]
            del orders[order]
            if not orders:
                del self._of_member[member]
        self._changed.add(order)

    # State

    def dump(self, delta: Delta) -> None:
        """Write what changed since the last time."""
        for order in self._changed:
            found = self._held.get(order)
            delta.fields[BOUGHT][order] = found[1] if found else None
        if self._changed:
            delta.fields[SUMS]["orders"] = self._taken
        self._changed.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state from where it was written."""
        if SUMS in maps:
            self._taken = int(maps[SUMS].get("orders", 0))
        found = {order: Receipt.from_text(text) for order, text in maps.get(BOUGHT, {}).items()}
        for order, receipt in sorted(found.items(), key=lambda item: item[1].number):
            self._hold(order, receipt)
