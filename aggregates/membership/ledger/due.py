"""What time brings to a ledger: holds that end, lots that are over, debts that points come to cover.

Each is a fact of its own instant. So a ledger stands the same at any instant, whether they were recorded when they were due,
much later, or never.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from aggregates.membership.ledger.allocation import fefo
from aggregates.membership.ledger.folding import evolve
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.lots import Lot
from aggregates.membership.ledger.moves import DebtSettled, LotExpired
from aggregates.membership.ledger.uses import HoldReleased

Due: TypeAlias = HoldReleased | LotExpired | DebtSettled


def due(member: str, now: int, ledger: Ledger, since: int) -> Iterator[Due]:
    """What is due at ``now``, in order of time; nothing of it is dated before ``since``, the latest decision on the ledger."""
    while ledger.due <= now:
        event = first_due(member, ledger, since)
        yield event
        ledger = evolve(ledger, event)


def as_of(ledger: Ledger, now: int, since: int) -> Ledger:
    """The ledger as it stands at an instant that no fact of it is later than."""
    for event in due("", now, ledger, since):
        ledger = evolve(ledger, event)
    return ledger


def first_due(member: str, ledger: Ledger, since: int) -> Due:
    """The first of what is due at ``ledger.due``."""
    at = max(ledger.due, since)
    found: list[tuple[tuple[object, ...], Due]] = []
    for name, hold in ledger.holds.items():
        if hold.until <= at:
            over = tuple((lot, points) for lot, points in hold.allocations if ledger.lots[lot].is_over(at))
            back = tuple(part for part in hold.allocations if part not in over)
            found.append(((0, hold.until, name), HoldReleased(member, name, hold.wallet, back, over, (), "expired", at)))
    found += [
        ((1 if isinstance(event, LotExpired) else 2, *fefo(lot)), event)
        for lot in ledger.lots.all()
        if lot.remaining > 0 and (event := of_lot(member, lot, ledger, at))
    ]
    return min(found, key=lambda candidate: candidate[0])[1]


def of_lot(member: str, lot: Lot, ledger: Ledger, at: int) -> LotExpired | DebtSettled | None:
    if lot.is_over(at):
        return LotExpired(member, lot.lot, lot.remaining, at, lot.wallet)
    owed = ledger.debts.get(lot.wallet, 0)
    if owed and lot.is_active(at):
        return DebtSettled(member, lot.lot, min(owed, lot.remaining), at, lot.wallet)
    return None
