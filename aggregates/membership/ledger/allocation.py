"""The order of use: what expires first is spent first, what never does last; then what became spendable first."""

from __future__ import annotations

from collections.abc import Iterable

from aggregates.membership.ledger.grants import Allocations
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.lots import NEVER, Lot, Lots


def fefo(lot: Lot) -> tuple[int, int, int, str]:
    """The place of a lot in the order of use."""
    return NEVER if lot.expires_at is None else lot.expires_at, lot.active_from or 0, lot.at, lot.lot


def spendable(ledger: Ledger, wallet: str, now: int) -> list[Lot]:
    """The lots of a wallet that can be spent at an instant, in the order of use."""
    lots = [lot for lot in ledger.lots.all() if lot.remaining > 0 and lot.wallet == wallet and lot.is_active(now)]
    return sorted(lots, key=fefo)


def allocate(points: int, lots: Iterable[Lot]) -> Allocations:
    """Take ``points`` from the lots in order, as far as they go."""
    return take(points, [(lot.lot, lot.remaining) for lot in lots])


def take(points: int, left: Iterable[tuple[str, int]]) -> Allocations:
    taken = []
    for lot, remaining in left:
        part = min(points, remaining)
        if part > 0:
            taken.append((lot, part))
            points -= part
    return tuple(taken)


def unused(lots: Lots, wanted: str) -> str:
    """A name for a new lot: the wanted one, marked if there is a lot of that name.

    >>> unused(Lots().with_lot(Lot("a", 0, 1, 1)), "a")
    "a'"
    """
    while wanted in lots:
        wanted += "'"
    return wanted
