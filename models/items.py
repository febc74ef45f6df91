"""What the learner knows of each product: its name for people, how it sells, how surely its buyers come back."""

from __future__ import annotations

from dataclasses import dataclass

COMEBACK = 0.7
"""TREx's α: how much each further purchase by the same member says (Complete Journey's best, recommendations 1.6)."""

HALF_LIFE = 30 * 86_400_000.0
"""Popularity loses half its weight in this many milliseconds of event time."""


@dataclass(slots=True)
class Item:
    """``comebacks`` = Σ over its buyers of (purchases − 1)^α. ``heat``: purchases, forward-decayed from ``Items.landmark``.

    ``staple``: bought on an errand whatever one recommends, such as fuel; measured apart.
    """

    name: str = ""
    department: str = ""
    staple: bool = False
    retired: bool = False
    baskets: int = 0
    buyers: int = 0
    comebacks: float = 0.0
    heat: float = 0.0


class Items:
    """All products, with the sums over them.

    >>> items = Items()
    >>> items.learn_one("milk", times=1, at=0); items.learn_one("milk", times=2, at=0)
    >>> items["milk"].baskets, items["milk"].buyers, items["milk"].comebacks
    (2, 1, 1.0)
    """

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self.landmark = 0
        self.baskets = 0
        self.comebacks = 0.0
        self.buyers = 0

    def __getitem__(self, product: str) -> Item:
        item = self._items.get(product)
        if item is None:
            item = self._items[product] = Item()
        return item

    def __len__(self) -> int:
        return len(self._items)

    def learn_basket(self, at: int) -> None:
        self.landmark = self.landmark or at
        self.baskets += 1

    def learn_one(self, product: str, times: int | None, at: int) -> None:
        """A purchase; ``times`` is the buyer's number of purchases of it with this one, None for a guest's."""
        item = self[product]
        item.baskets += 1
        item.heat += 2.0 ** ((at - self.landmark) / HALF_LIFE)
        if times == 1:
            item.buyers += 1
            self.buyers += 1
        elif times:
            more = (times - 1) ** COMEBACK - (times - 2) ** COMEBACK
            item.comebacks += more
            self.comebacks += more

    def return_rate(self, product: str) -> float:
        """How surely a buyer of it buys it again: TREx's item repeat score, smoothed by one average buyer."""
        item = self[product]
        mean = self.comebacks / self.buyers if self.buyers else 0.0
        return (item.comebacks + mean) / (item.buyers + 1)
