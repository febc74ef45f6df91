"""A member's coupons of one campaign: sent, then redeemed. Every use has a name and counts once.

Each campaign and member have a stream of their own, so no shopper waits for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from aggregates.decider import Context, Decider, Refusal, require_count, require_id
from aggregates.value import Value, replace

# Commands


class SendCoupon(Value):
    """``starts`` and ``ends``: the campaign's, as the member was promised them."""

    campaign: str
    member: str
    at: int
    kind: str | None = None
    starts: int | None = None
    ends: int | None = None


class RedeemCoupon(Value):
    """``use`` names this redemption. ``recorded``: it has happened, so a broken term is flagged, not refused.

    ``amount``: its worth in minor units, if known.
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


class CouponSent(Value, kw_only=True):
    campaign: str
    member: str
    kind: str | None
    starts: int | None
    ends: int | None
    at: int


class CouponRedeemed(Value, kw_only=True):
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


def decide(command: Command, coupons: Coupons, _: Context) -> list[Event]:
    require_id("campaign", command.campaign)
    require_id("member", command.member)
    match command:
        case SendCoupon():
            sent = CouponSent(
                campaign=command.campaign,
                member=command.member,
                kind=command.kind,
                starts=command.starts,
                ends=command.ends,
                at=command.at,
            )
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
                    campaign=command.campaign,
                    member=command.member,
                    coupon=command.coupon,
                    use=command.use,
                    order=command.order,
                    recorded=command.recorded,
                    flags=flags,
                    at=command.at,
                    amount=command.amount,
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
