"""What a member's orders count for, by order; a new one, or a changed one, costs the same however many there are.

They stand in periods of their date, each with the sum that it counts for, so that the spend of a window is summed by periods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aggregates.membership.earning.formula import Formula

PERIOD = 30 * 86_400_000  # milliseconds


class Grant(NamedTuple):
    """One rule's points for an order, in a lot of their own. ``kept``: what is left of the money of each line that earned."""

    lot: str
    terms: int
    formula: Formula
    kept: tuple[int, ...] = ()


class Purchase(NamedTuple):
    """``bought``: what the order counted for when it was paid, ``net``: what it still counts for, in minor units."""

    order: str
    at: int
    bought: int
    net: int
    grants: tuple[Grant, ...] = ()


class Period(NamedTuple):
    net: int
    purchases: Mapping[str, Purchase]


class Purchases(Mapping[str, Purchase]):
    """
    >>> made = Purchases().with_purchase(Purchase("a", 5, 100, 100)).with_purchase(Purchase("b", PERIOD * 3, 200, 200))
    >>> list(made), made["b"].net, made.spend(since=5, until=PERIOD * 9), made.spend(since=4, until=PERIOD * 9)
    (['a', 'b'], 200, 200, 300)
    """

    def __init__(self, periods: dict[int, Period] | None = None) -> None:
        self._periods = periods or {}

    def __getitem__(self, order: str) -> Purchase:
        for period in reversed(self._periods.values()):
            if order in period.purchases:
                return period.purchases[order]
        raise KeyError(order)

    def __contains__(self, order: object) -> bool:
        for period in self._periods.values():  # noqa: SIM110 - a generator would take twice as long
            if order in period.purchases:
                return True
        return False

    def at(self, order: str, instant: int) -> Purchase | None:
        """The purchase of an instant that is known."""
        period = self._periods.get(instant // PERIOD)
        return period.purchases.get(order) if period else None

    def __iter__(self) -> Iterator[str]:
        return (order for period in self._periods.values() for order in period.purchases)

    def __len__(self) -> int:
        return sum(len(period.purchases) for period in self._periods.values())

    def with_purchase(self, purchase: Purchase) -> Purchases:
        """These with one added, or in place of what was known of it; a purchase keeps its date."""
        number = purchase.at // PERIOD
        before = self._periods.get(number, Period(0, {}))
        known = before.purchases.get(purchase.order)
        net = before.net + purchase.net - (known.net if known else 0)
        return Purchases({**self._periods, number: Period(net, {**before.purchases, purchase.order: purchase})})

    @property
    def first(self) -> int | None:
        """When the member bought first, as far as it was told by then."""
        period = next(iter(self._periods.values()), None)
        return next(iter(period.purchases.values())).at if period else None

    def orders(self, since: int, until: int) -> int:
        """How many purchases of those dates count for anything."""
        return sum(
            bought.net > 0
            for number, period in self._periods.items()
            if since < (number + 1) * PERIOD and number * PERIOD <= until
            for bought in period.purchases.values()
            if since < bought.at <= until
        )

    def spend(self, since: int, until: int) -> int:
        """What purchases count for whose date is after ``since`` and not after ``until``, in minor units."""
        first, last = since // PERIOD, until // PERIOD
        spans = range(first, last + 1) if last - first < len(self._periods) else self._periods
        total = 0
        for number in spans:
            period = self._periods.get(number)
            if period is None:
                continue
            if first < number < last:
                total += period.net
            elif first <= number <= last:
                total += sum([bought.net for bought in period.purchases.values() if since < bought.at <= until])
        return total
