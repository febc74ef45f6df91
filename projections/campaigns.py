"""The outcome of each campaign: how often it was sent, how many coupons were used, and how many of them outside its terms."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from aggregates.campaign import CampaignLaunched
from aggregates.coupon import CouponRedeemed, CouponSent
from aggregates.delta import Delta
from projections.projection import Tally

Event: TypeAlias = CampaignLaunched | CouponSent | CouponRedeemed


def project(delta: Delta, event: Event) -> None:
    key = f"campaign:{event.campaign}"
    match event:
        case CampaignLaunched():
            delta.fields[key].update(
                kind=event.kind, starts=event.starts, ends=event.ends, limit=event.limit, coupons=len(event.offers)
            )
        case CouponSent():
            delta.count(key, "sent", 1)
        case CouponRedeemed():
            delta.count(key, "redeemed", 1)
            if event.flags:
                delta.count(key, "flagged", 1)
        case _:
            assert_never(event)


campaigns = Tally("campaigns", 1, ("campaign",), frozenset(Event.__args__), project)
