"""A member's lots of points; a new one, or a changed one, costs the same however many there are.

A plain dictionary would be copied, and every lot in it touched, at each purchase, more with every year of a member.
So lots stand in periods of their date, and only one period is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

PERIOD = 30 * 86_400_000  # milliseconds

DEFAULT_WALLET = "points"
"""The wallet of what was granted before there were several."""

NEVER = 2**62
"""An instant that does not come."""


class Lot(NamedTuple):
    """``earned``: points granted for what the member did, less those clawed back; ``remaining``: what is left of them to spend.

    ``held``: set apart for an order that is not settled. ``lapsed``: expired unused. ``received_at``: when another member sent
    them, if they did. ``by_action``: earned by something else than a purchase.
    """

    lot: str
    at: int
    earned: int
    remaining: int
    active_from: int | None = None
    expires_at: int | None = None
    wallet: str = DEFAULT_WALLET
    held: int = 0
    lapsed: int = 0
    received_at: int | None = None
    by_action: bool = False

    def is_active(self, now: int) -> bool:
        """Whether its points can be spent: they are no longer pending, and not yet over."""
        return self.active_from is not None and self.active_from <= now and not self.is_over(now)

    def is_over(self, now: int) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class Lots(Mapping[str, Lot]):
    """
    >>> lots = Lots().with_lot(Lot("a", 5, 1, 1)).with_lot(Lot("b", PERIOD * 3, 2, 2))
    >>> list(lots), lots["b"].remaining
    (['a', 'b'], 2)
    """

    def __init__(self, periods: dict[int, dict[str, Lot]] | None = None) -> None:
        self._periods = periods or {}

    def __getitem__(self, lot: str) -> Lot:
        for period in reversed(self._periods.values()):
            if lot in period:
                return period[lot]
        raise KeyError(lot)

    def __contains__(self, lot: object) -> bool:
        for period in self._periods.values():  # noqa: SIM110 - a generator would take twice as long
            if lot in period:
                return True
        return False

    def __iter__(self) -> Iterator[str]:
        return (lot for period in self._periods.values() for lot in period)

    def __len__(self) -> int:
        return sum(len(period) for period in self._periods.values())

    def all(self) -> Iterator[Lot]:
        return (lot for period in self._periods.values() for lot in period.values())

    def between(self, since: int, until: int) -> Iterator[Lot]:
        """Those whose date is after ``since`` and not after ``until``."""
        for number, period in self._periods.items():
            if since < (number + 1) * PERIOD and number * PERIOD <= until:
                yield from (lot for lot in period.values() if since < lot.at <= until)

    def with_lot(self, lot: Lot) -> Lots:
        """These lots with one added, or in place of what was known of it; a lot keeps its date."""
        number = lot.at // PERIOD
        return Lots({**self._periods, number: {**self._periods.get(number, {}), lot.lot: lot}})

    def with_lots(self, lots: Iterable[Lot]) -> Lots:
        changed = self
        for lot in lots:
            changed = changed.with_lot(lot)
        return changed
