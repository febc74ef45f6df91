"""The books: what each fact moves, so that opening plus movements must be the closing that the lots themselves tell.

Held points are in the books of their lot until they are spent. What is owed is a book of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from aggregates.membership.ledger import folding
from aggregates.membership.ledger.grants import PointsClawedBack, PointsGranted
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.moves import DebtSettled, LotExpired, PointsAdjusted, PointsReinstated, PointsTransferred
from aggregates.membership.ledger.uses import HoldReleased, PointsRedeemed, PointsReturned

Kind: TypeAlias = Literal[
    "granted",
    "returned",
    "reissued",
    "reinstated",
    "transferred in",
    "adjusted",
    "redeemed",
    "expired",
    "clawed back",
    "debt settled",
    "transferred out",
    "owed",
]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]


class Movement(NamedTuple):
    """``points`` more (or, below nothing, fewer) in a wallet's lots; of kind ``owed``, of its debt."""

    wallet: str
    kind: Kind
    points: int


def movements(event: folding.Event) -> Iterator[Movement]:
    match event:
        case PointsGranted():
            yield Movement(event.wallet, "granted", event.points)
        case PointsRedeemed():
            yield Movement(event.wallet, "redeemed", -event.points)
        case PointsClawedBack():
            yield Movement(event.wallet, "clawed back", event.debt_added + event.lapsed + event.written_off - event.points)
            yield Movement(event.wallet, "owed", event.debt_added)
        case DebtSettled():
            yield Movement(event.wallet, "debt settled", -event.points)
            yield Movement(event.wallet, "owed", -event.points)
        case PointsReturned():
            reissued = sum(lot.points for lot in event.reissued)
            yield Movement(event.wallet, "returned", event.points - reissued)
            yield Movement(event.wallet, "reissued", reissued)
        case HoldReleased():
            yield Movement(event.wallet, "expired", -sum(points for _, points in event.lapsed))
        case LotExpired():
            yield Movement(event.wallet, "expired", -event.points)
        case PointsAdjusted():
            yield Movement(event.wallet, "adjusted", event.points)
        case PointsReinstated():
            yield Movement(event.wallet, "reinstated", event.points)
        case PointsTransferred(direction="in"):
            yield Movement(event.wallet, "transferred in", event.points)
        case PointsTransferred():
            yield Movement(event.wallet, "transferred out", -event.points)
        case _:
            return


class Closing(NamedTuple):
    """What the lots of a wallet hold, and what is owed in it."""

    points: int = 0
    owed: int = 0


def closing(ledger: Ledger) -> dict[str, Closing]:
    """By wallet, as the lots themselves tell."""
    found: dict[str, Closing] = {wallet: Closing(0, owed) for wallet, owed in ledger.debts.items()}
    for lot in ledger.lots.all():
        before = found.get(lot.wallet, Closing())
        found[lot.wallet] = Closing(before.points + lot.remaining + lot.held, before.owed)
    return found
