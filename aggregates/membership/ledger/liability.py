"""What the points out there are worth to the shop, as of any instant, less what will lapse unused.

Breakage is what is known of lots that are over: the points of them that lapsed, of all that were in them. It is expected of the
points that can lapse, not of those that never do. Rates are exact; money is rounded once, at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from aggregates.calendar import local_day
from aggregates.membership.earning.purchases import Purchase
from aggregates.membership.ledger.ledger import Ledger
from aggregates.programme import Programme


@dataclass
class Liability:
    """Of one wallet: points to spend, that wait, that are held, that are owed; and those to spend by the month they end in.

    ``endless``: of those to spend and those held, the points that never lapse.
    ``matured`` and ``lapsed``: the points of lots that are over, and those of them that nobody used.
    ``bought``: of those that are not, the points that came with orders; ``sold``: what their part of these orders came to.
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
        """A member's, as it stands at ``now``."""
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
        """A member's: of each order the part that its points still open are of all that it earned."""
        for purchase in purchases:
            lots = [lot for grant in purchase.grants if (lot := ledger.lots[grant.lot]).wallet == wallet]
            points = sum(min(lot.remaining + lot.held, lot.earned) for lot in lots if not lot.is_over(now))
            if points:
                self.bought += points
                self.sold += Fraction(purchase.net * points, sum(lot.earned for lot in lots))

    @property
    def breakage(self) -> Fraction:
        return Fraction(self.lapsed, self.matured) if self.matured else Fraction()

    @property
    def outstanding(self) -> int:
        return self.active + self.pending + self.held

    def redeemed(self, wallet: str, terms: Programme) -> Fraction:
        """The part of what is outstanding that will not lapse unused; what is pending will end as these terms have it."""
        told = terms.wallet(wallet)
        endless = self.endless + (self.pending if told and told.validity.span == "never" else 0)
        return 1 - self.breakage * Fraction(self.outstanding - endless, self.outstanding or 1)

    def worth(self, wallet: str, terms: Programme) -> int:
        """In minor units, by what a point is redeemed for."""
        return rounded(self.outstanding * value_of(wallet, terms) * self.redeemed(wallet, terms))

    def deferral(self, wallet: str, terms: Programme) -> int:
        """What of those sales is not earned yet, in minor units."""
        return deferred(self.sold, self.bought, value_of(wallet, terms), self.redeemed(wallet, terms))


def value_of(wallet: str, terms: Programme) -> Fraction:
    """A point's, in minor units; nothing, of a wallet that these terms do not know."""
    told = terms.wallet(wallet)
    return Fraction(*told.redemption.value) * terms.unit if told else Fraction()


def deferred(price: Fraction | int, points: int, value: Fraction, redeemed: Fraction) -> int:
    """What of a price is not earned yet, for it is the points' (IFRS 15): by their stand-alone worth beside the price.

    >>> deferred(20_000, 200, Fraction(1), Fraction(85, 100))
    169
    """
    alone = points * value * redeemed
    return rounded(price * alone / (price + alone)) if alone else 0


def rounded(amount: Fraction) -> int:
    """Half a minor unit and more is a whole one."""
    return int((amount + Fraction(1, 2)) // 1)
