"""How a ledger stands at an instant: predicates on time, so that no job has to have run.

``since``: when the ledger was last decided on.
"""

from __future__ import annotations

from aggregates.membership.ledger.due import as_of
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.lots import DEFAULT_WALLET


def balance(ledger: Ledger, now: int, since: int, wallet: str = DEFAULT_WALLET) -> int:
    """Points that can be spent, above nothing; below it, what is owed."""
    then = as_of(ledger, now, since)
    active = sum(lot.remaining for lot in then.lots.all() if lot.wallet == wallet and lot.is_active(now))
    return active - then.debts.get(wallet, 0)


def pending(ledger: Ledger, now: int, wallet: str = DEFAULT_WALLET) -> int:
    """Points that were earned and cannot be spent yet."""
    lots = [lot for lot in ledger.lots.all() if lot.wallet == wallet and not lot.is_over(now)]
    return sum(lot.remaining for lot in lots if not lot.is_active(now))


def held(ledger: Ledger, now: int, since: int, wallet: str = DEFAULT_WALLET) -> int:
    return sum(lot.held for lot in as_of(ledger, now, since).lots.all() if lot.wallet == wallet)
