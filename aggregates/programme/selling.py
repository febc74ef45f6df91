"""How the shop sells: tax, rounding, how long prices and stock are kept for a shopper, what becomes of carts, and referrals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aggregates.programme.text_values import Rate


@dataclass(frozen=True)
class TaxClass:
    """A class of products and its rate. A product names its class in the attribute ``tax_class``."""

    name: str
    rate: Rate


@dataclass(frozen=True)
class Referrals:
    """What a referral gives, in points, once the newcomer's first order can no longer be sent back.

    ``minimum``: what that order is worth without tax, in major units. ``most``: newcomers that one member is paid for.
    """

    wallet: str | None = None
    referrer_points: int = 0
    newcomer_points: int = 0
    minimum: int = 0
    most: int | None = None


@dataclass(frozen=True)
class Selling:
    """``mode``: tax is in the prices or comes on top; ``basis``: it is rounded by rate or by line.

    ``most_off``: the part of the list prices that promotions may take off. ``taxes``: the first is that of products that name
    none; without any, nothing is taxed. ``reserve_minutes``: how long a checkout holds goods and promotions.
    ``price_minutes``: how long a price that was shown in a cart still holds after it rose. ``cart_merge``: how a guest's cart
    is taken into a member's at login. ``abandoned_after_hours``: without a change, 0 for never.
    """

    mode: Literal["included", "added"] = "included"
    basis: Literal["group", "line"] = "group"
    most_off: Rate | None = None
    taxes: tuple[TaxClass, ...] = ()
    reserve_minutes: int = 15
    price_minutes: int = 10
    cart_merge: Literal["sum", "max", "keep", "replace"] = "sum"
    abandoned_after_hours: int = 24
    referrals: Referrals = Referrals()

    def rate(self, tax_class: str | None) -> tuple[str, Rate]:
        """Return a product's class of tax and its rate; of an unknown class, those of the first."""
        for known in self.taxes:
            if known.name == tax_class:
                return known.name, known.rate
        return (self.taxes[0].name, self.taxes[0].rate) if self.taxes else ("none", (0, 1))
