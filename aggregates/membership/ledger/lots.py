"""A member's lots of points, and the order in which they are used.

Lots are kept in periods by date, and a change copies one period only. So it costs the same however many lots there are; a plain
dictionary would be copied, and every lot in it touched, at each purchase.

Use is by earliest expiry: what expires first is spent first, what never expires last, then what became spendable first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

PERIOD = 30 * 86_400_000  # milliseconds

DEFAULT_WALLET = "points"
"""The wallet of what was granted before there were several."""

Allocations: TypeAlias = tuple[tuple[str, int], ...]
"""Points by the lot they are taken from, or given back to."""

NEVER = 2**62
"""An instant that does not come."""


class Lot(NamedTuple):
    """``earned`` counts the points granted for what the member did, less those clawed back; ``remaining`` those left to spend.

    ``held`` points are set apart for an order that is not settled. ``lapsed`` points expired unused. ``received_at`` is when
    another member sent them, if one did. ``by_action`` says that they were not earned by a purchase.
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
        """Return whether the points can be spent: no longer pending, and not over."""
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
        """Yield the lots whose date is after ``since`` and not after ``until``."""
        for number, period in self._periods.items():
            if since < (number + 1) * PERIOD and number * PERIOD <= until:
                yield from (lot for lot in period.values() if since < lot.at <= until)

    def with_lot(self, lot: Lot) -> Lots:
        """Return these lots with one added, or replaced if its name is known. A lot keeps its date."""
        number = lot.at // PERIOD
        return Lots({**self._periods, number: {**self._periods.get(number, {}), lot.lot: lot}})

    def with_lots(self, lots: Iterable[Lot]) -> Lots:
        changed = self
        for lot in lots:
            changed = changed.with_lot(lot)
        return changed


def fefo(lot: Lot) -> tuple[int, int, int, str]:
    """Return the sort key of a lot in the order of use."""
    return NEVER if lot.expires_at is None else lot.expires_at, lot.active_from or 0, lot.at, lot.lot


def spendable_lots(lots: Lots, wallet: str, now: int) -> list[Lot]:
    """Return the lots of a wallet that can be spent at an instant, in the order of use."""
    found = [lot for lot in lots.all() if lot.remaining > 0 and lot.wallet == wallet and lot.is_active(now)]
    return sorted(found, key=fefo)


def allocate(points: int, lots: Iterable[Lot]) -> Allocations:
    """Return the part of ``points`` that each lot gives, in order, as far as the lots go."""
    return take(points, [(lot.lot, lot.remaining) for lot in lots])


def take(points: int, left: Iterable[tuple[str, int]]) -> Allocations:
    taken = []
    for lot, remaining in left:
        part = min(points, remaining)
        if part > 0:
            taken.append((lot, part))
            points -= part
    return tuple(taken)


def unused_name(lots: Lots, wanted: str) -> str:
    """Return a free name for a new lot: the wanted one, with a mark for each lot that has it already.

    >>> unused_name(Lots().with_lot(Lot("a", 0, 1, 1)), "a")
    "a'"
    """
    while wanted in lots:
        wanted += "'"
    return wanted
