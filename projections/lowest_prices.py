"""The lowest price of a product in the 30 days before it was reduced, as laws on price reductions ask for it.

Only the public price counts: offers to members and codes do not. The price in force when the 30 days began counts, too.
"""

from __future__ import annotations

from typing import TypeAlias

from aggregates.product import ProductListed, ProductRepriced
from aggregates.value import Value, replace
from projections.projection import one_document

DAYS = 30
WINDOW = DAYS * 86_400_000


class PricePeriod(Value):
    """A price, and from when to when (the first instant after) it was in force; None: it still is."""

    price: int
    since: int
    until: int | None


class Reduction(Value):
    """``lowest``: the least price of the 30 days before ``at``. ``percent``: how far the new one is below it, rounded down."""

    at: int
    lowest: int
    percent: int


class LowestPrice(Value):
    """``history``: prices of the 30 days before the latest, and it. ``reduction``: the last change, if it was one."""

    product: str
    price: int | None
    history: tuple[PricePeriod, ...] = ()
    reduction: Reduction | None = None
    as_of: int = 0
    position: int = 0


Event: TypeAlias = ProductListed | ProductRepriced


def project(view: LowestPrice | None, event: Event, position: int) -> LowestPrice:
    before = view or LowestPrice(event.product, None)
    if event.price is None or event.price == before.price:
        return replace(before, as_of=event.at, position=position)
    at = max(event.at, before.as_of)
    ended = tuple(one if one.until is not None else replace(one, until=at) for one in before.history)
    kept = tuple(one for one in ended if one.until is not None and one.until > at - WINDOW)
    return LowestPrice(
        event.product,
        event.price,
        (*kept, PricePeriod(event.price, at, None)),
        reduction_of(before, kept, event.price, at),
        at,
        position,
    )


def reduction_of(before: LowestPrice, kept: tuple[PricePeriod, ...], price: int, at: int) -> Reduction | None:
    """Return what a change of price is as a reduction; None if the price rose, or is the first."""
    if before.price is None or price >= before.price or not kept:
        return None
    lowest = min(one.price for one in kept)
    return Reduction(at, lowest, max(0, (lowest - price) * 100 // lowest) if lowest else 0)


lowest_prices = one_document(
    "lowest", 1, {"lowest": LowestPrice}, Event.__args__, lambda event: f"lowest:{event.product}", project
)
