"""A member's lots of points, by purchase; a new one, or a changed one, costs the same however many there are.

A plain dictionary would be copied, and every lot in it touched, at each purchase, more with every year of a member.
So lots stand in periods of their purchase, each with the sum that it counts for, and only one period is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aggregates.programme import Rate

PERIOD = 30 * 86_400_000  # milliseconds


@dataclass(frozen=True)
class Lot:
    """``net``: what its order still counts for; ``earned``: points granted less those clawed back."""

    lot: str
    at: int
    multiplier: Rate
    net: int
    earned: int
    remaining: int
    active_from: int | None = None

    def is_active(self, now: int) -> bool:
        return self.active_from is not None and self.active_from <= now


@dataclass(frozen=True)
class Period:
    net: int
    lots: Mapping[str, Lot]


class Lots(Mapping[str, Lot]):
    """
    >>> lots = Lots().with_lot(Lot("a", 5, (1, 1), 100, 1, 1)).with_lot(Lot("b", PERIOD * 3, (1, 1), 200, 2, 2))
    >>> list(lots), lots["b"].net, lots.spend(since=5, until=PERIOD * 9), lots.spend(since=4, until=PERIOD * 9)
    (['a', 'b'], 200, 200, 300)
    """

    def __init__(self, periods: dict[int, Period] | None = None) -> None:
        self._periods = periods or {}

    def __getitem__(self, lot: str) -> Lot:
        for number in reversed(self._periods):
            found = self._periods[number].lots.get(lot)
            if found:
                return found
        raise KeyError(lot)

    def __iter__(self) -> Iterator[str]:
        return (lot for period in self._periods.values() for lot in period.lots)

    def __len__(self) -> int:
        return sum(len(period.lots) for period in self._periods.values())

    def with_lot(self, lot: Lot) -> Lots:
        """These lots with one added, or in place of what was known of it; a lot keeps its date."""
        number = lot.at // PERIOD
        before = self._periods.get(number, Period(0, {}))
        known = before.lots.get(lot.lot)
        net = before.net + lot.net - (known.net if known else 0)
        return Lots({**self._periods, number: Period(net, {**before.lots, lot.lot: lot})})

    def spend(self, since: int, until: int) -> int:
        """What purchases count for whose date is after ``since`` and not after ``until``, in minor units."""
        total = 0
        for number, period in self._periods.items():
            begins, ends = number * PERIOD, (number + 1) * PERIOD
            if since < begins and ends <= until:
                total += period.net
            elif since < ends and begins <= until:
                total += sum([lot.net for lot in period.lots.values() if since < lot.at <= until])
        return total
