"""What follows for referrals from orders, and for points from referrals."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeAlias

from aggregates.decider import Context, Look
from aggregates.membership.commands import AdjustPoints
from aggregates.membership.decider import membership
from aggregates.order.decider import order
from aggregates.order.events import OrderCancelled, OrderRefunded
from aggregates.order.fulfilment import OrderDelivered
from aggregates.referral import (
    BeginReferral,
    DisqualifyReferral,
    QualifyReferral,
    ReferralCodeUsed,
    ReferralPaid,
    ReferralTakenBack,
    referral,
)
from aggregates.session import sessions

OfOrder: TypeAlias = OrderDelivered | OrderRefunded | OrderCancelled
OfReferral: TypeAlias = ReferralCodeUsed | ReferralPaid | ReferralTakenBack
ACTOR = "referrals"


def follow_order(event: OfOrder, look: Look) -> Iterator[object]:
    """Yield what an order's arrival, refund or cancellation does to the referral of who bought."""
    if event.member is None:
        return
    state = look(referral, event.member)
    if isinstance(event, OrderDelivered):
        if event.complete and state.state == "begun":
            yield QualifyReferral(event.member, event.order, look(order, event.order).net, event.at)
    elif state.state in ("qualified", "paid") and state.order == event.order:
        net = event.net_retained if isinstance(event, OrderRefunded) else 0
        yield DisqualifyReferral(event.member, event.order, net, event.at)


def follow_referral(event: OfReferral, context: Context, erased: Collection[str], look: Look) -> Iterator[object]:
    """Yield the beginning of a referral, or the points that both get, or that are taken back as far as they are there."""
    match event:
        case ReferralCodeUsed():
            yield BeginReferral(event.newcomer, event.member, event.referral_code, event.at, barred(event, erased, look))
        case ReferralPaid():
            if context.policies.at(event.at).wallet(event.wallet) is not None:
                for member, points in shares(event, erased):
                    yield AdjustPoints(member, name_of(event), points, "referral", ACTOR, event.at, event.wallet)
        case ReferralTakenBack(paid=True):
            for member, points in shares(event, erased):
                state = look(membership, member)
                there = min(points, state.available(max(event.at, state.latest), event.wallet or wallet_of(context, event)))
                if there > 0:
                    yield AdjustPoints(
                        member, f"{name_of(event)} back"[-200:], -there, "referral", ACTOR, event.at, event.wallet
                    )


def wallet_of(context: Context, event: OfReferral) -> str:
    return context.policies.at(event.at).wallets[0].name


def barred(event: ReferralCodeUsed, erased: Collection[str], look: Look) -> str:
    """Return why somebody is no newcomer: they have bought before, or were seen in a session of the one who brings them."""
    if event.member in erased:
        return "the member with this code is gone"
    if look(membership, event.newcomer).earning.purchases:
        return "they have bought before"
    theirs: frozenset[str] = look(sessions, event.newcomer)
    ours: frozenset[str] = look(sessions, event.member)
    if theirs & ours:
        return "they share a session with the member who brings them"
    return ""


def shares(event: ReferralPaid | ReferralTakenBack, erased: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yield who is paid how many points, without those who are erased or get none."""
    for member, points in ((event.referrer, event.referrer_points), (event.member, event.newcomer_points)):
        if points and member not in erased:
            yield member, points


def name_of(event: ReferralPaid | ReferralTakenBack) -> str:
    return f"referral {event.member}"[-190:]
