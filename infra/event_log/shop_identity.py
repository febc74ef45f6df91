"""Which shop a log belongs to: whoever opens an empty one says so, and afterwards it stays."""

from __future__ import annotations

from uuid import uuid4

from infra.event_log import due_index, statements
from infra.event_log.transaction import Transaction
from infra.event_log.types import Shop


def belonging(transaction: Transaction, wanted: Shop, chosen: bool, empty: bool) -> Shop:
    """The shop of this log, which becomes that of ``wanted`` if it is new, or ``empty`` and ``chosen`` for another."""
    if not (found := transaction.rows(statements.SHOP)):
        transaction.run(statements.NEW_SHOP, (wanted.zone, wanted.currency, uuid4().hex))
        if empty:
            transaction.run(statements.INDEXED, (due_index.NAME,))
        return wanted
    shop = Shop(*found[0])
    if shop != wanted and chosen and empty:
        transaction.run(statements.OTHER_SHOP, (wanted.zone, wanted.currency))
        return wanted
    return shop
