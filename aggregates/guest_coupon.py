"""A guest's use of a coupon: nobody was sent it, so its days are the campaign's own. Every use has a name and counts once."""

from __future__ import annotations

from aggregates.coupon import REASONS, outside
from aggregates.decider import Context, Decider, Refusal, require_count, require_id
from aggregates.value import Value


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


Command = RedeemGuestCoupon
Event = GuestCouponRedeemed


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
