"""A member's coupons of one campaign: sent, then redeemed; every use has a name of its own and counts once.

One stream a campaign and member, so that no shopper ever waits for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from aggregates.decider import Decider, Refusal, require_count, require_id
from aggregates.value import Value, replace

# Commands


class SendCoupon(Value):
    """``starts`` and ``ends``: the campaign's, frozen with what the member was promised."""

    campaign: str
    member: str
    at: int
    kind: str | None = None
    starts: int | None = None
    ends: int | None = None


class RedeemCoupon(Value):
    """``use`` names this redemption. ``recorded``: the till took it already, so a broken term is flagged, not refused.

    ``amount``: what it was worth, in minor units, where that is known.
    """

    campaign: str
    member: str
    coupon: str
    use: str
    at: int
    order: str | None = None
    recorded: bool = False
    amount: int | None = None


Command: TypeAlias = SendCoupon | RedeemCoupon

# Events


class CouponSent(Value):
    campaign: str
    member: str
    kind: str | None
    starts: int | None
    ends: int | None
    at: int


class CouponRedeemed(Value):
    """``flags``: the terms that a recorded use broke (``not_sent``, ``too_early``, ``too_late``)."""

    campaign: str
    member: str
    coupon: str
    use: str
    order: str | None
    recorded: bool
    flags: tuple[str, ...]
    at: int
    amount: int | None = None


Event: TypeAlias = CouponSent | CouponRedeemed

REASONS = {
    "not_sent": "This member was not sent coupons of this campaign.",
    "too_early": "This campaign has not begun.",
    "too_late": "This campaign is over.",
}

# State


@dataclass(frozen=True)
class Coupons:
    sent: CouponSent | None = None
    uses: frozenset[str] = frozenset()


def decide(command: Command, coupons: Coupons) -> list[Event]:
    require_id("campaign", command.campaign)
    require_id("member", command.member)
    match command:
        case SendCoupon():
            sent = CouponSent(command.campaign, command.member, command.kind, command.starts, command.ends, command.at)
            if coupons.sent and replace(sent, at=coupons.sent.at) == coupons.sent:
                return []
            return [sent]
        case RedeemCoupon():
            require_id("coupon", command.coupon)
            require_id("use", command.use)
            if command.use in coupons.uses:
                return []
            if command.amount is not None:
                require_count("amount", command.amount)
            flags = broken_terms(command.at, coupons.sent)
            if flags and not command.recorded:
                raise Refusal(f"coupon_{flags[0]}", REASONS[flags[0]])
            return [
                CouponRedeemed(
                    command.campaign,
                    command.member,
                    command.coupon,
                    command.use,
                    command.order,
                    command.recorded,
                    flags,
                    command.at,
                    command.amount,
                )
            ]
        case _:
            assert_never(command)


def broken_terms(at: int, sent: CouponSent | None) -> tuple[str, ...]:
    if sent is None:
        return ("not_sent",)
    if sent.starts is not None and at < sent.starts:
        return ("too_early",)
    if sent.ends is not None and at >= sent.ends:
        return ("too_late",)
    return ()


def evolve(coupons: Coupons, event: Event) -> Coupons:
    match event:
        case CouponSent():
            return replace(coupons, sent=event)
        case CouponRedeemed():
            return replace(coupons, uses=coupons.uses | {event.use})
        case _:
            assert_never(event)


coupon = Decider("coupon", Coupons(), decide, evolve)
