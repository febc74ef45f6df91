"""The accounts of points: the movements of each event, closing balances, and what outstanding points are worth to the shop.

Opening plus movements must equal the closing that the lots show. Held points stay in the account of their lot until they are
spent; debts have an account of their own. Breakage is measured on lots that are over: the part of their points that lapsed. It
is expected only of points that can lapse. Rates are exact; money is rounded once, at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from aggregates.calendar import local_day
from aggregates.membership.earning.state import Purchase
from aggregates.membership.ledger.events import (
    DebtSettled,
    HoldReleased,
    LotExpired,
    PointsAdjusted,
    PointsClawedBack,
    PointsGranted,
    PointsRedeemed,
    PointsReinstated,
    PointsReturned,
    PointsTransferred,
)
from aggregates.membership.ledger.state import Ledger, LedgerEvent
from aggregates.programme import Programme

MovementKind: TypeAlias = Literal[
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
MOVEMENT_KINDS: tuple[MovementKind, ...] = MovementKind.__args__  # type: ignore[attr-defined]


class Movement(NamedTuple):
    """``points`` added to the lots of a wallet, or taken if negative; for kind ``owed``, added to its debt."""

    wallet: str
    kind: MovementKind
    points: int


def movements(event: LedgerEvent) -> Iterator[Movement]:
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
    """Return the closing balance of each wallet, from the lots themselves."""
    found: dict[str, Closing] = {wallet: Closing(0, owed) for wallet, owed in ledger.debts.items()}
    for lot in ledger.lots.all():
        before = found.get(lot.wallet, Closing())
        found[lot.wallet] = Closing(before.points + lot.remaining + lot.held, before.owed)
    return found


@dataclass
class Liability:
    """The outstanding points of one wallet: ``active``, ``pending``, ``held`` and ``owed``; ``by_month`` splits the active ones
    by end.

    ``endless`` counts the active and held points that never lapse. ``matured`` counts the points of lots that are over, and
    ``lapsed`` those of them that nobody used. ``bought`` counts the points of open lots that came with orders, and ``sold``
    is their part of the money of these orders, in minor units.
    """

    active: int = 0
    pending: int = 0
    held: int = 0
    owed: int = 0
    endless: int = 0
    matured: int = 0
    lapsed: int = 0
    bought: int = 0
    sold: Fraction = Fraction()
    by_month: Counter[str] = field(default_factory=Counter)

    def add(self, ledger: Ledger, wallet: str, now: int, zone: str) -> None:
        """Add the ledger of a member as it stands at ``now``."""
        self.owed += ledger.debts.get(wallet, 0)
        for lot in ledger.lots.all():
            if lot.wallet != wallet:
                continue
            self.held += lot.held
            if lot.active_from is not None and lot.active_from <= now and lot.expires_at is None:
                self.endless += lot.remaining + lot.held
            if lot.is_over(now):
                self.matured += lot.earned
                self.lapsed += min(lot.lapsed, lot.earned)
            elif lot.is_active(now):
                self.active += lot.remaining
                self.by_month["never" if lot.expires_at is None else local_day(lot.expires_at - 1, zone)[:7]] += lot.remaining
            else:
                self.pending += lot.remaining

    def add_orders(self, purchases: Iterable[Purchase], ledger: Ledger, wallet: str, now: int) -> None:
        """Add the orders of a member: of each, the part that its open points are of all that it earned."""
        for purchase in purchases:
            lots = [lot for grant in purchase.grants if (lot := ledger.lots[grant.lot]).wallet == wallet]
            points = sum(min(lot.remaining + lot.held, lot.earned) for lot in lots if not lot.is_over(now))
            if points:
                self.bought += points
                self.sold += Fraction(purchase.net * points, sum(lot.earned for lot in lots))

    def add_all(self, other: Liability) -> None:
        """Add the liability to other members."""
        for spec in fields(self):
            if spec.name != "by_month":
                setattr(self, spec.name, getattr(self, spec.name) + getattr(other, spec.name))
        self.by_month.update(other.by_month)

    @property
    def breakage(self) -> Fraction:
        return Fraction(self.lapsed, self.matured) if self.matured else Fraction()

    @property
    def outstanding(self) -> int:
        return self.active + self.pending + self.held

    def redeemed(self, wallet: str, terms: Programme) -> Fraction:
        """Return the part of the outstanding points that is expected to be used; pending points end as these terms say."""
        told = terms.wallet(wallet)
        endless = self.endless + (self.pending if told and told.validity.span == "never" else 0)
        return 1 - self.breakage * Fraction(self.outstanding - endless, self.outstanding or 1)

    def worth(self, wallet: str, terms: Programme) -> int:
        """Return what the outstanding points are worth, in minor units."""
        return rounded(self.outstanding * point_value(wallet, terms) * self.redeemed(wallet, terms))

    def deferral(self, wallet: str, terms: Programme) -> int:
        """Return the revenue of those sales that is deferred until the points are used, in minor units."""
        return deferred_revenue(self.sold, self.bought, point_value(wallet, terms), self.redeemed(wallet, terms))


def point_value(wallet: str, terms: Programme) -> Fraction:
    """Return the value of one point in minor units; 0 for a wallet that these terms do not know."""
    told = terms.wallet(wallet)
    return Fraction(*told.redemption.value) * terms.unit if told else Fraction()


def deferred_revenue(price: Fraction | int, points: int, value: Fraction, redeemed: Fraction) -> int:
    """Return the part of a price that is deferred, by the stand-alone value of the points beside the price (IFRS 15).

    >>> deferred_revenue(20_000, 200, Fraction(1), Fraction(85, 100))
    169
    """
    alone = points * value * redeemed
    return rounded(price * alone / (price + alone)) if alone else 0


def rounded(amount: Fraction) -> int:
    """Return the nearest integer; halves are rounded up."""
    return int((amount + Fraction(1, 2)) // 1)
