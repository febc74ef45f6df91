"""A member's coupons of one campaign: sent, then redeemed. Every use has a name and counts once.

Each campaign and member have a stream of their own, so no shopper waits for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from aggregates.decider import Context, Decider, Refusal, require_count, require_id, require_text
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


class RedeemGuestCoupon(Value):
    """A guest's use of a coupon: nobody was sent it, so ``starts`` and ``ends`` are the campaign's own.

    ``session``: the guest's, None of a guest without one. The rest is as in :class:`RedeemCoupon`.
    """

    campaign: str
    coupon: str
    use: str
    at: int
    session: str | None = None
    order: str | None = None
    recorded: bool = False
    amount: int | None = None
    starts: int | None = None
    ends: int | None = None


MemberCommand: TypeAlias = SendCoupon | RedeemCoupon
Command: TypeAlias = MemberCommand | RedeemGuestCoupon

# Events


class CouponSent(Value, kw_only=True):
    campaign: str
    member: str
    kind: str | None
    starts: int | None
    ends: int | None
    at: int


class CouponRedeemed(Value, kw_only=True):
    """``flags``: the terms that a recorded use broke (``not_sent``, ``too_early``, ``too_late``, ``over_limit``)."""

    campaign: str
    member: str
    coupon: str
    use: str
    order: str | None
    recorded: bool
    flags: tuple[str, ...]
    at: int
    amount: int | None = None


class GuestCouponRedeemed(Value, kw_only=True):
    """``flags``: the terms that a recorded use broke (``too_early``, ``too_late``, ``over_limit``)."""

    session: str | None
    campaign: str
    coupon: str
    use: str
    order: str | None
    recorded: bool
    flags: tuple[str, ...]
    at: int
    amount: int | None


MemberEvent: TypeAlias = CouponSent | CouponRedeemed
Event: TypeAlias = MemberEvent | GuestCouponRedeemed

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


def decide(command: MemberCommand, coupons: Coupons, _: Context) -> list[MemberEvent]:
    require_id("campaign", command.campaign)
    require_id("member", command.member)
    match command:
        case SendCoupon():
            require_text("kind", command.kind)
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
    return ("not_sent",) if sent is None else outside(at, sent.starts, sent.ends)


def outside(at: int, starts: int | None, ends: int | None) -> tuple[str, ...]:
    """Return the flag of an instant outside a campaign's days; ``ends`` is the first one after them."""
    if starts is not None and at < starts:
        return ("too_early",)
    if ends is not None and at >= ends:
        return ("too_late",)
    return ()


def evolve(coupons: Coupons, event: MemberEvent) -> Coupons:
    match event:
        case CouponSent():
            return replace(coupons, sent=event)
        case CouponRedeemed():
            return replace(coupons, uses=coupons.uses | {event.use})
        case _:
            assert_never(event)


coupon = Decider("coupon", Coupons(), decide, evolve)


# A guest's use, which is a stream of its own


def decide_guest(command: RedeemGuestCoupon, used: bool, _: Context) -> list[GuestCouponRedeemed]:
    for what in ("campaign", "coupon", "use"):
        require_id(what, getattr(command, what))
    if command.session is not None:
        require_id("session", command.session)
    if command.amount is not None:
        require_count("amount", command.amount)
    if used:
        return []
    flags = outside(command.at, command.starts, command.ends)
    if flags and not command.recorded:
        raise Refusal(f"coupon_{flags[0]}", REASONS[flags[0]])
    return [
        GuestCouponRedeemed(
            session=command.session,
            campaign=command.campaign,
            coupon=command.coupon,
            use=command.use,
            order=command.order,
            recorded=command.recorded,
            flags=flags,
            at=command.at,
            amount=command.amount,
        )
    ]


def evolve_guest(_: bool, __: GuestCouponRedeemed) -> bool:
    return True


guest_coupon: Decider[RedeemGuestCoupon, bool, GuestCouponRedeemed] = Decider("guest_coupon", False, decide_guest, evolve_guest)
