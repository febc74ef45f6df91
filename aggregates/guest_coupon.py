"""A guest's use of a coupon: nobody was sent it, so its days are the campaign's own. Every use has a name and counts once.

At the till it is redeemed at once; in a checkout it is reserved for an order, which names the use, as a member's is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, assert_never

from aggregates.coupon import REASONS, Reserved, Use, outside
from aggregates.decider import Context, Decider, Refusal, require_count, require_id
from aggregates.fields import Count, Id, Instant, IsInstant, SessionId
from aggregates.value import Value, replace

# Commands


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


CampaignId: TypeAlias = Annotated[str, Id("campaign")]
UseId: TypeAlias = Annotated[str, Id("use")]


class ReserveGuestCoupon(Value):
    """Hold one use of a campaign for a guest's order, which ``use`` names. The rest is as in ``ReserveCoupon``."""

    campaign: CampaignId
    use: UseId
    at: Instant
    until: Annotated[int, IsInstant("until")]
    session: SessionId | None = None
    version: Annotated[int, Count("version")] = 0
    serial: Annotated[str, Id("serial")] | None = None
    amount: Annotated[int, Count("amount")] = 0
    code_limit: Annotated[int, Count("code_limit")] | None = None
    budget: Annotated[str, Id("budget")] | None = None
    budget_amount: Annotated[int, Count("budget_amount")] | None = None


class RedeemReservedGuest(Value):
    """The order was paid. ``overrun``: no room was left after the reservation had lapsed, and the shop honours it."""

    campaign: CampaignId
    use: UseId
    at: Instant
    overrun: bool = False


class ReleaseGuestCoupon(Value):
    """The order will not be paid: its payment failed or it was cancelled."""

    campaign: CampaignId
    use: UseId
    at: Instant
    reason: Literal["failed", "cancelled"] = "cancelled"


class RestoreGuestCoupon(Value):
    """All of the order came back, so its use counts no more."""

    campaign: CampaignId
    use: UseId
    at: Instant


class RecordGuestLapsed(Value):
    """Record that the reservation's time is over."""

    campaign: CampaignId
    use: UseId
    at: Instant


OfReservation: TypeAlias = (
    ReserveGuestCoupon | RedeemReservedGuest | ReleaseGuestCoupon | RestoreGuestCoupon | RecordGuestLapsed
)
Command: TypeAlias = RedeemGuestCoupon | OfReservation

# Events


class GuestCouponRedeemed(Value, kw_only=True):
    """``flags``: the terms that a recorded use broke (``too_early``, ``too_late``, ``over_limit``).

    ``reservation`` and ``overrun`` are as in :class:`CouponRedeemed`.
    """

    session: str | None
    campaign: str
    coupon: str
    use: str
    order: str | None
    recorded: bool
    flags: tuple[str, ...]
    at: int
    amount: int | None
    reservation: Reserved | None = None
    overrun: bool = False


class GuestCouponReserved(Value, kw_only=True):
    """``use`` is the order. ``until``: from then on the use is anybody's again."""

    session: str | None
    campaign: str
    use: str
    reservation: Reserved
    until: int
    at: int


class GuestCouponReleased(Value, kw_only=True):
    """A reservation ended without a use. ``reason`` is as in :class:`CouponReleased`."""

    session: str | None
    campaign: str
    use: str
    reservation: Reserved
    reason: Literal["expired", "failed", "cancelled", "replaced"]
    at: int


class GuestCouponRestored(Value, kw_only=True):
    """A use counts no more, as all of the order came back."""

    session: str | None
    campaign: str
    use: str
    reservation: Reserved
    at: int


Event: TypeAlias = GuestCouponRedeemed | GuestCouponReserved | GuestCouponReleased | GuestCouponRestored

# State


@dataclass(frozen=True)
class GuestUse:
    """``used``: it was redeemed at the till. ``order``: what became of the order's reservation."""

    used: bool = False
    order: Use | None = None
    session: str | None = None


def decide(command: Command, state: GuestUse, _: Context) -> list[Event]:
    if isinstance(command, RedeemGuestCoupon):
        return [*redeem_at_the_till(command, state)]
    if isinstance(command, ReserveGuestCoupon):
        return reserve(command, state)
    use = state.order
    if use is None and isinstance(command, RedeemReservedGuest):
        raise Refusal("coupon_not_reserved", "This order has reserved nothing of this campaign.")
    if use is None:
        return []
    whose: dict[str, Any] = {"session": state.session, "campaign": command.campaign, "use": command.use}
    match command:
        case RedeemReservedGuest():
            return [redeemed(command, use, whose)] if use.state in ("reserved", "released") else []
        case ReleaseGuestCoupon():
            if use.state != "reserved":
                return []
            return [released(use, whose, command.reason, command.at)]
        case RestoreGuestCoupon():
            restored = GuestCouponRestored(**whose, reservation=use.reservation, at=command.at)
            return [restored] if use.state == "redeemed" else []
        case RecordGuestLapsed():
            is_over = use.state == "reserved" and use.until <= command.at
            return [released(use, whose, "expired", use.until)] if is_over else []
        case _:
            assert_never(command)


def redeem_at_the_till(command: RedeemGuestCoupon, state: GuestUse) -> list[GuestCouponRedeemed]:
    for what in ("campaign", "coupon", "use"):
        require_id(what, getattr(command, what))
    if command.session is not None:
        require_id("session", command.session)
    if command.amount is not None:
        require_count("amount", command.amount)
    if state.used or (state.order is not None and state.order.state in ("redeemed", "overrun")):
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


def reserve(command: ReserveGuestCoupon, state: GuestUse) -> list[Event]:
    if command.until <= command.at:
        raise Refusal("until_invalid", "A reservation is held until a later instant.")
    before = state.order
    if state.used or (before is not None and before.state in ("redeemed", "overrun")):
        return []
    wanted = Reserved(
        command.version, command.serial, command.amount, command.code_limit, command.budget, command.budget_amount
    )
    held = before if before is not None and before.state == "reserved" else None
    if held and held.reservation == wanted and command.at < held.until and command.until <= held.until:
        return []
    whose: dict[str, Any] = {"session": command.session, "campaign": command.campaign, "use": command.use}
    reserved = GuestCouponReserved(**whose, reservation=wanted, until=command.until, at=command.at)
    return [reserved] if held is None else [released(held, whose, "replaced", command.at), reserved]


def redeemed(command: RedeemReservedGuest, use: Use, whose: dict[str, Any]) -> GuestCouponRedeemed:
    return GuestCouponRedeemed(
        **whose,
        coupon=use.reservation.serial or command.campaign,
        order=command.use,
        recorded=False,
        flags=(),
        at=command.at,
        amount=use.reservation.amount,
        reservation=use.reservation,
        overrun=command.overrun,
    )


def released(
    use: Use, whose: dict[str, Any], reason: Literal["expired", "failed", "cancelled", "replaced"], at: int
) -> GuestCouponReleased:
    """Return the end of a reservation; one that has lapsed ended at its time-out."""
    if at >= use.until:
        reason, at = "expired", use.until
    return GuestCouponReleased(**whose, reservation=use.reservation, reason=reason, at=at)


def due(state: GuestUse, _: Context) -> int | None:
    """Return when the reservation lapses."""
    return state.order.until if state.order is not None and state.order.state == "reserved" else None


def evolve(state: GuestUse, event: Event) -> GuestUse:
    match event:
        case GuestCouponRedeemed(reservation=Reserved() as reservation):
            return replace(state, order=Use("overrun" if event.overrun else "redeemed", reservation))
        case GuestCouponRedeemed():
            return replace(state, used=True)
        case GuestCouponReserved():
            return GuestUse(state.used, Use("reserved", event.reservation, event.until), event.session)
        case GuestCouponReleased():
            return replace(state, order=Use("released", event.reservation))
        case GuestCouponRestored():
            return replace(state, order=Use("restored", event.reservation))
        case _:
            assert_never(event)


guest_coupon: Decider[Command, GuestUse, Event] = Decider("guest_coupon", GuestUse(), decide, evolve, due=due)
