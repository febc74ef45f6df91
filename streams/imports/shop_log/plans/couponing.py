"""Coupons sent and used; a campaign first seen is launched with its id alone."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.campaign import LaunchCampaign
from aggregates.campaign import campaign as campaign_decider
from aggregates.coupon import RedeemCoupon, SendCoupon
from streams.commands.request import Look
from streams.imports.shop_log.lines import CouponLine
from streams.imports.shop_log.plans.first_sight import met_member
from streams.imports.shop_log.plans.naming import named


def launched(campaign: str, at: int, look: Look) -> Iterator[object]:
    if look(campaign_decider, campaign).launched is None:
        yield LaunchCampaign(campaign, at)


def use_coupon(line: CouponLine, name: str, at: int, look: Look) -> Iterator[object]:
    """``name`` names the use where neither the line nor its order does. It happened: broken terms are flagged, not refused."""
    yield from launched(line.campaign, at, look)
    yield from met_member(line.member, at, look)
    if line.sent:
        yield SendCoupon(line.campaign, line.member, at, line.kind, line.starts, line.ends)
        return
    coupon = line.coupon or line.campaign
    use = line.use or (name if line.order is None else use_of(line.order, line.coupon))
    yield RedeemCoupon(line.campaign, line.member, coupon, use, at, line.order, recorded=True, amount=line.amount)


def use_of(order: str, coupon: str | None = None) -> str:
    """How an order's use of a campaign is named, so that a line of its own about it is no second use.

    ``coupon``: which of the campaign's, where it has several: each may be used once.
    """
    return named("order/", order) if coupon is None else named(f"order/{order}/", coupon)
