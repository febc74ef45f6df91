"""A member's coupons of one campaign: sent, reserved for an order, redeemed. Every use has a name and counts once.

Each campaign and member have a stream of their own, so no shopper waits for another. A reservation lapses at ``until`` whether
or not anybody records it; an order that is paid later gets what room is left, and is honoured as ``overrun`` if there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias, assert_never

from aggregates.decider import Context, Decider, Refusal, require_count, require_id, require_text
from aggregates.fields import Count, Id, Instant, IsInstant, MemberId, OrderId
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


CampaignId: TypeAlias = Annotated[str, Id("campaign")]


class ReserveCoupon(Value):
    """Hold one use of a campaign for an order, until it is paid or ``until`` comes.

    ``version``: of the campaign's terms, which the price was computed by. ``serial``: of a code. ``amount``: what it takes off.
    ``member_limit`` and ``code_limit``: how many orders of this member, and with this code, may use it. ``budget``: the period
    that ``budget_amount`` is for.
    """

    campaign: CampaignId
    member: MemberId
    order: OrderId
    at: Instant
    until: Annotated[int, IsInstant("until")]
    version: Annotated[int, Count("version")] = 0
    serial: Annotated[str, Id("serial")] | None = None
    amount: Annotated[int, Count("amount")] = 0
    member_limit: Annotated[int, Count("member_limit")] | None = None
    code_limit: Annotated[int, Count("code_limit")] | None = None
    budget: Annotated[str, Id("budget")] | None = None
    budget_amount: Annotated[int, Count("budget_amount")] | None = None


class RedeemReserved(Value):
    """The order was paid. ``overrun``: no room was left after the reservation had lapsed, and the shop honours it."""

    campaign: CampaignId
    member: MemberId
    order: OrderId
    at: Instant
    overrun: bool = False


class ReleaseCoupon(Value):
    """The order will not be paid: its payment failed or it was cancelled."""

    campaign: CampaignId
    member: MemberId
    order: OrderId
    at: Instant
    reason: Literal["failed", "cancelled"] = "cancelled"


class RestoreCoupon(Value):
    """All of the order came back, so its use counts no more."""

    campaign: CampaignId
    member: MemberId
    order: OrderId
    at: Instant


class RecordLapsed(Value):
    """Record the reservations whose time is over."""

    campaign: CampaignId
    member: MemberId
    at: Instant


OfReservation: TypeAlias = RecordLapsed | ReserveCoupon | RedeemReserved | ReleaseCoupon | RestoreCoupon


Command: TypeAlias = SendCoupon | RedeemCoupon | OfReservation

# Events


class Reserved(Value):
    """What a reservation is about; its use counts once for the campaign and the code, its amount for the budget."""

    version: int = 0
    serial: str | None = None
    amount: int = 0
    code_limit: int | None = None
    budget: str | None = None
    budget_amount: int | None = None


class CouponSent(Value, kw_only=True):
    campaign: str
    member: str
    kind: str | None
    starts: int | None
    ends: int | None
    at: int


class CouponRedeemed(Value, kw_only=True):
    """``flags``: the terms that a recorded use broke (``not_sent``, ``too_early``, ``too_late``, ``over_limit``).

    ``reservation``: what was reserved for the order. ``overrun``: it had lapsed and no room was left, so it is not counted.
    """

    campaign: str
    member: str
    coupon: str
    use: str
    order: str | None
    recorded: bool
    flags: tuple[str, ...]
    at: int
    amount: int | None = None
    reservation: Reserved | None = None
    overrun: bool = False


class CouponReserved(Value, kw_only=True):
    """``until``: from then on the use is anybody's again."""

    campaign: str
    member: str
    order: str
    reservation: Reserved
    until: int
    at: int


class CouponReleased(Value, kw_only=True):
    """A reservation ended without a use. ``reason``: ``expired``, ``failed``, ``cancelled``, or ``replaced`` by a new one."""

    campaign: str
    member: str
    order: str
    reservation: Reserved
    reason: Literal["expired", "failed", "cancelled", "replaced"]
    at: int


class CouponRestored(Value, kw_only=True):
    """A use counts no more, as all of the order came back."""

    campaign: str
    member: str
    order: str
    reservation: Reserved
    at: int


Event: TypeAlias = CouponSent | CouponRedeemed | CouponReserved | CouponReleased | CouponRestored

REASONS = {
    "not_sent": "This member was not sent coupons of this campaign.",
    "too_early": "This campaign has not begun.",
    "too_late": "This campaign is over.",
}

# State


@dataclass(frozen=True)
class Use:
    """One order's use. ``until``: when its reservation lapses."""

    state: Literal["reserved", "released", "redeemed", "overrun", "restored"]
    reservation: Reserved
    until: int = 0


@dataclass(frozen=True)
class Coupons:
    """``orders``: what became of each order's reservation."""

    sent: CouponSent | None = None
    uses: frozenset[str] = frozenset()
    orders: Mapping[str, Use] = field(default_factory=dict)

    def used_by_others(self, order: str, at: int) -> int:
        """Return how many other orders use it now: those that redeemed it and those whose reservation has not lapsed."""
        live = (use.state == "redeemed" or (use.state == "reserved" and at < use.until) for use in self.others(order))
        return sum(live) + len(self.uses - self.orders.keys())

    def others(self, order: str) -> list[Use]:
        return [use for name, use in self.orders.items() if name != order]


def decide(command: Command, coupons: Coupons, _: Context) -> list[Event]:
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
        case ReserveCoupon():
            return reserve(command, coupons)
        case RedeemReserved():
            return redeem(command, coupons)
        case ReleaseCoupon():
            return release(command, coupons)
        case RestoreCoupon():
            return restore(command, coupons)
        case RecordLapsed():
            return lapsed(command, coupons)
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


def reserve(command: ReserveCoupon, coupons: Coupons) -> list[Event]:
    if command.until <= command.at:
        raise Refusal("until_invalid", "A reservation is held until a later instant.")
    wanted = Reserved(
        command.version, command.serial, command.amount, command.code_limit, command.budget, command.budget_amount
    )
    before = coupons.orders.get(command.order)
    if before is not None and before.state in ("redeemed", "overrun"):
        return []
    held = before if before is not None and before.state == "reserved" else None
    if held and held.reservation == wanted and command.at < held.until and command.until <= held.until:
        return []
    if command.member_limit is not None and coupons.used_by_others(command.order, command.at) >= command.member_limit:
        raise Refusal("coupon_member_limit", "This member has used this promotion as often as a member may.")
    reserved = CouponReserved(
        campaign=command.campaign,
        member=command.member,
        order=command.order,
        reservation=wanted,
        until=command.until,
        at=command.at,
    )
    if held is None:
        return [reserved]
    reason: Literal["replaced", "expired"] = "replaced" if command.at < held.until else "expired"
    return [released(command, held.reservation, reason, min(command.at, held.until), command.order), reserved]


def redeem(command: RedeemReserved, coupons: Coupons) -> list[Event]:
    use = coupons.orders.get(command.order)
    if use is None:
        raise Refusal("coupon_not_reserved", "This order has reserved nothing of this campaign.")
    if use.state in ("redeemed", "overrun", "restored"):
        return []
    return [
        CouponRedeemed(
            campaign=command.campaign,
            member=command.member,
            coupon=use.reservation.serial or command.campaign,
            use=command.order,
            order=command.order,
            recorded=False,
            flags=(),
            at=command.at,
            amount=use.reservation.amount,
            reservation=use.reservation,
            overrun=command.overrun,
        )
    ]


def release(command: ReleaseCoupon, coupons: Coupons) -> list[Event]:
    use = coupons.orders.get(command.order)
    if use is None or use.state != "reserved":
        return []
    if command.at >= use.until:
        return [released(command, use.reservation, "expired", use.until, command.order)]
    return [released(command, use.reservation, command.reason, command.at, command.order)]


def lapsed(command: RecordLapsed, coupons: Coupons) -> list[Event]:
    """Return the end of each reservation that has lapsed, dated by its time-out, the earliest first."""
    over = [(use.until, name) for name, use in coupons.orders.items() if use.state == "reserved" and use.until <= command.at]
    return [released(command, coupons.orders[name].reservation, "expired", until, name) for until, name in sorted(over)]


def due(coupons: Coupons, _: Context) -> int | None:
    """Return when the next reservation lapses."""
    return min((use.until for use in coupons.orders.values() if use.state == "reserved"), default=None)


def released(
    command: ReserveCoupon | ReleaseCoupon | RecordLapsed,
    reservation: Reserved,
    reason: Literal["expired", "failed", "cancelled", "replaced"],
    at: int,
    order: str,
) -> CouponReleased:
    return CouponReleased(
        campaign=command.campaign,
        member=command.member,
        order=order,
        reservation=reservation,
        reason=reason,
        at=at,
    )


def restore(command: RestoreCoupon, coupons: Coupons) -> list[Event]:
    use = coupons.orders.get(command.order)
    if use is None or use.state != "redeemed":
        return []
    return [
        CouponRestored(
            campaign=command.campaign,
            member=command.member,
            order=command.order,
            reservation=use.reservation,
            at=command.at,
        )
    ]


def broken_terms(at: int, sent: CouponSent | None) -> tuple[str, ...]:
    return ("not_sent",) if sent is None else outside(at, sent.starts, sent.ends)


def outside(at: int, starts: int | None, ends: int | None) -> tuple[str, ...]:
    """Return the flag of an instant outside a campaign's days; ``ends`` is the first one after them."""
    if starts is not None and at < starts:
        return ("too_early",)
    if ends is not None and at >= ends:
        return ("too_late",)
    return ()


def evolve(coupons: Coupons, event: Event) -> Coupons:
    match event:
        case CouponSent():
            return replace(coupons, sent=event)
        case CouponRedeemed(reservation=Reserved() as reservation, order=str(order)):
            used = replace(coupons, uses=coupons.uses | {event.use})
            return with_use(used, order, Use("overrun" if event.overrun else "redeemed", reservation))
        case CouponRedeemed():
            return replace(coupons, uses=coupons.uses | {event.use})
        case CouponReserved():
            return with_use(coupons, event.order, Use("reserved", event.reservation, event.until))
        case CouponReleased():
            return with_use(coupons, event.order, Use("released", event.reservation))
        case CouponRestored():
            return with_use(coupons, event.order, Use("restored", event.reservation))
        case _:
            assert_never(event)


def with_use(coupons: Coupons, order: str, use: Use) -> Coupons:
    return replace(coupons, orders={**coupons.orders, order: use})


coupon = Decider("coupon", Coupons(), decide, evolve, due=due)
