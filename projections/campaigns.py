"""The outcome of each campaign: how often it was sent, how many coupons were used, and how many of them outside its terms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias, assert_never

from aggregates.campaign import CampaignChanged, CampaignEnded, CampaignLaunched
from aggregates.coupon import CouponRedeemed, CouponReleased, CouponReserved, CouponRestored, CouponSent
from aggregates.delta import Delta
from aggregates.guest_coupon import Event as OfGuest
from aggregates.guest_coupon import GuestCouponRedeemed, GuestCouponReleased, GuestCouponReserved, GuestCouponRestored
from projections.projection import Tally

OfCoupon: TypeAlias = CouponSent | CouponRedeemed | CouponReserved | CouponReleased | CouponRestored | OfGuest
Event: TypeAlias = CampaignLaunched | CampaignChanged | CampaignEnded | OfCoupon


SHOWN = ("effect", "when", "only", "excluded", "combines_with")


def project(delta: Delta, event: Event) -> None:
    key = f"campaign:{event.campaign}"
    match event:
        case CampaignLaunched():
            delta.fields[key].update(
                kind=event.kind, starts=event.starts, ends=event.ends, limit=event.limit, coupons=len(event.offers)
            )
        case CampaignChanged():
            delta.fields[key].update(version=event.version, **shown(event.document))
        case CampaignEnded():
            delta.fields[key].update(ended=event.at)
        case CouponSent():
            delta.count(key, "sent", 1)
        case CouponRedeemed() | GuestCouponRedeemed():
            delta.count(key, "redeemed", 1)
            if event.flags:
                delta.count(key, "flagged", 1)
            if event.reservation is not None:
                add_reserved_use(delta, key, event.reservation.amount, event.overrun)
        case CouponReserved() | GuestCouponReserved():
            delta.count(key, "reserved", 1)
        case CouponReleased() | GuestCouponReleased():
            delta.count(key, "released", 1)
        case CouponRestored() | GuestCouponRestored():
            delta.count(key, "restored", 1)
            if event.reservation.amount:
                delta.count(key, "given_back", event.reservation.amount)
        case _:
            assert_never(event)


def add_reserved_use(delta: Delta, key: str, amount: int, overrun: bool) -> None:
    """Count what a use took off, and whether its reservation had lapsed."""
    if amount:
        delta.count(key, "spent", amount)
    if overrun:
        delta.count(key, "overrun", 1)


def shown(document: Mapping[str, Any]) -> dict[str, str | int | None]:
    """Return what a storefront may show of a campaign's terms; one that is not public has its stage alone."""
    stage, public = document.get("stage", "order"), document.get("public", True)
    if not public:
        return {"stage": stage, "public": 0, "title": None, "by_code": None, "terms": None}
    terms = json.dumps({name: document[name] for name in SHOWN if name in document}, sort_keys=True)
    by_code = int(document.get("by_code", False))
    return {"stage": stage, "public": 1, "title": document.get("title"), "by_code": by_code, "terms": terms}


campaigns = Tally("campaigns", 1, ("campaign",), frozenset(Event.__args__), project)
