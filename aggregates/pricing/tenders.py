"""What an order is paid with, and where a refund goes back to.

Tenders stand in the order in which money goes back: means of payment first, gift cards and store credit last. So nobody turns a
gift card into money by returning goods.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from aggregates.pricing.apportioning import half_up
from aggregates.value import Value

TenderKind: TypeAlias = Literal["card", "cash", "transfer", "other", "gift_card", "store_credit", "rounding"]

KINDS: tuple[TenderKind, ...] = ("card", "cash", "transfer", "gift_card", "store_credit", "other")
"""What a shopper can pay with; ``rounding`` is the shop's."""

CREDIT = ("gift_card", "store_credit")


class Tender(Value):
    """``id`` names it within the order. ``rounding``: what cash cannot pay exactly; it is below 0 where more is paid."""

    id: str
    kind: TenderKind
    amount: int


def in_order(tenders: Sequence[Tender]) -> tuple[Tender, ...]:
    """Return tenders in the order in which money goes back to them."""
    return tuple(sorted(tenders, key=lambda tender: tender.kind in CREDIT))


def given_back(tenders: Sequence[Tender], total: int) -> tuple[int, ...]:
    """Return how much each tender has had back once ``total`` was refunded in all, one tender after the other.

    >>> card, gift = Tender("1", "card", 19080), Tender("2", "gift_card", 10000)
    >>> given_back((card, gift), 16717), given_back((card, gift), 29080)
    ((16717, 0), (19080, 10000))
    """
    back: list[int] = []
    for tender in tenders:
        back.append(min(tender.amount, max(0, total)))
        total -= tender.amount
    return tuple(back)


def given_back_in_parts(tenders: Sequence[Tender], total: int) -> tuple[int, ...]:
    """Return the same for a shop that refunds all tenders in proportion; what a tender has had back never falls.

    Nested floors: a tender gets its part of what the later ones leave.
    """
    back: list[int] = []
    paid = sum(tender.amount for tender in tenders)
    for tender in tenders:
        part = total * tender.amount // paid if paid else 0
        back.append(part)
        total, paid = total - part, paid - tender.amount
    return tuple(back)


def cash_rounding(payable: int, step: int) -> int:
    """Return the tender that makes an amount payable in cash: below 0 where the shopper pays more.

    >>> cash_rounding(1002, 5), cash_rounding(1003, 5), cash_rounding(1000, 5)
    (2, -2, 0)
    """
    return payable - half_up(payable, 1, step) * step
