"""Rewards: a coupon or a product for points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aggregates.programme.selection import Audience, Days


@dataclass(frozen=True)
class Reward:
    """``item``: the campaign whose coupon, or the product, that ``price`` points of ``wallet`` buy.

    ``stock``: how many there are in all, ``per_member``: for one member (None: no bound).
    """

    id: str
    gives: Literal["coupon", "product"]
    item: str
    price: int
    wallet: str = "points"
    stock: int | None = None
    per_member: int | None = None
    audience: Audience = Audience()
    days: Days = Days()
