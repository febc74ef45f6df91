"""What the learner knows of each product: its name for people, how it sells, how surely its buyers come back."""

from __future__ import annotations

from dataclasses import dataclass

HALF_LIFE = 30 * 86_400_000.0
"""Popularity loses half its weight in this many milliseconds of event time."""

PSEUDO_BUYERS = 10
"""Average buyers that every product is given, so that its first real ones do not decide alone."""

TRUST = 0.4
"""How far the return rate is believed: its exponent in a score (docs/decisions/0005)."""


@dataclass(slots=True)
class Item:
    """``returns``: purchases by members who had bought it before. ``heat``: purchases, forward-decayed from the landmark.

    ``staple``: bought on an errand whatever one recommends, such as fuel; measured apart.
    """

    name: str = ""
    department: str = ""
    staple: bool = False
    retired: bool = False
    baskets: int = 0
    buyers: int = 0
    returns: int = 0
    heat: float = 0.0


class Items(dict[str, Item]):
    """All products, with the sums over them; an unknown one is made when it is asked for.

    >>> items = Items()
    >>> items.learn_one("milk", times=1, at=0); items.learn_one("milk", times=2, at=0)
    >>> items["milk"].baskets, items["milk"].buyers, items["milk"].returns
    (2, 1, 1)
    """

    def __init__(self) -> None:
        super().__init__()
        self.landmark: int | None = None
        self.baskets = 0
        self.buyers = 0
        self.returns = 0

    def __missing__(self, product: str) -> Item:
        item = self[product] = Item()
        return item

    def learn_one(self, product: str, times: int | None, at: int) -> None:
        """A purchase; ``times`` is the buyer's number of purchases of it with this one, None for a guest's."""
        if self.landmark is None:
            self.landmark = at
        item = self[product]
        item.baskets += 1
        item.heat += 2.0 ** ((at - self.landmark) / HALF_LIFE)
        if times == 1:
            item.buyers += 1
            self.buyers += 1
        elif times:
            item.returns += 1
            self.returns += 1

    @property
    def mean_returns(self) -> float:
        """Returns a buyer of an average product; above nothing, so that scores tell products apart from the first basket on."""
        return (self.returns + 1) / (self.buyers + 1)
