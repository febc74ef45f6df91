"""The member's card: who they are, their points, their tier, and what changes next.

Money is minor units, instants are UTC epoch milliseconds. Points are right as of ``as_of``; at a later instant a reader adds to
``balance`` the points of every activation that is due by then, so the card needs no job to stay true: what is above nothing can
be spent, what is below is owed.
An erased member's card says that and nothing else, whatever is still to happen to their orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from aggregates.member import MemberClosed, MemberErased, MemberProfileChanged, MemberRegistered
from aggregates.membership.facts import (
    Allocations,
    DebtSettled,
    LotActivated,
    PointsClawedBack,
    PointsGranted,
    PointsRedeemed,
    TierExtended,
    TierLowered,
    TierRaised,
)
from aggregates.programme import ENTRY_TIER, Programme
from projections.kernel import Documents, one_document


@dataclass(frozen=True)
class Activation:
    """``points`` become spendable ``at``."""

    at: int
    points: int
    lot: str


@dataclass(frozen=True)
class Card:
    """``balance``: ``points`` less ``debt``, one of which is 0; ``undelivered``: pending points by lot, not dated yet."""

    member: str
    status: str = "unregistered"  # unregistered, registered, closed, erased
    name: str | None = None
    email: str | None = None
    birthday: str | None = None
    profile: Mapping[str, str] = field(default_factory=dict)
    registered_at: int | None = None
    points: int = 0
    pending: int = 0
    debt: int = 0
    tier: str = ENTRY_TIER
    tier_until: int | None = None
    qualifying: int = 0
    next_tier: str | None = None
    to_next_tier: int | None = None
    balance: int = 0
    activations: tuple[Activation, ...] = ()
    undelivered: Mapping[str, int] = field(default_factory=dict)
    as_of: int = 0
    position: int = 0


Event: TypeAlias = (
    MemberRegistered
    | MemberProfileChanged
    | MemberClosed
    | MemberErased
    | PointsGranted
    | LotActivated
    | PointsRedeemed
    | PointsClawedBack
    | DebtSettled
    | TierRaised
    | TierExtended
    | TierLowered
)


def project(terms: Programme, card: Card | None, event: Event, position: int) -> Card:
    if card and card.status == "erased":
        return card
    if isinstance(event, MemberErased):
        return Card(event.member, "erased", as_of=event.at, position=position)
    now = max(card.as_of, event.at) if card else event.at
    card = changed(activated(card or Card(event.member), now), event)
    return summed(terms, card, now, position)


def changed(card: Card, event: Event) -> Card:
    match event:
        case MemberRegistered() | MemberProfileChanged():
            return replace(
                card,
                status="registered",
                registered_at=event.at if isinstance(event, MemberRegistered) else card.registered_at,
                name=event.name,
                email=event.email,
                birthday=event.birthday,
                profile=event.profile,
            )
        case MemberClosed():
            return replace(card, status="closed")
        case PointsGranted():
            return replace(card, undelivered={**card.undelivered, event.lot: event.points}, qualifying=event.qualifying)
        case LotActivated():
            return dated(card, event)
        case PointsRedeemed():
            return taken(card, event.allocations)
        case PointsClawedBack():
            card = taken(card, event.allocations)
            return replace(card, balance=card.balance - event.debt_added, qualifying=event.qualifying)
        case DebtSettled():
            return card  # active points against what is owed: the balance has both
        case TierRaised() | TierExtended() | TierLowered():
            return replace(card, tier=event.tier, tier_until=event.valid_until, qualifying=event.qualifying)
        case MemberErased():
            return card


def dated(card: Card, event: LotActivated) -> Card:
    left = dict(card.undelivered)
    points = left.pop(event.lot, 0)
    new = (Activation(event.active_from, points, event.lot),) if points else ()
    return replace(card, undelivered=left, activations=tuple(sorted((*card.activations, *new), key=due)))


def due(activation: Activation) -> tuple[int, str]:
    return activation.at, activation.lot


def activated(card: Card, now: int) -> Card:
    """What has become due by ``now`` is spendable."""
    if not card.activations or card.activations[0].at > now:
        return card
    balance = card.balance + sum(activation.points for activation in card.activations if activation.at <= now)
    return replace(card, balance=balance, activations=tuple(a for a in card.activations if a.at > now))


def taken(card: Card, allocations: Allocations) -> Card:
    """Take points from the lots they were allocated to, be they active, dated or undelivered."""
    for lot, points in allocations:
        if lot in card.undelivered:
            card = replace(card, undelivered={**card.undelivered, lot: card.undelivered[lot] - points})
        elif any(activation.lot == lot for activation in card.activations):
            card = replace(
                card,
                activations=tuple(replace(a, points=a.points - points) if a.lot == lot else a for a in card.activations),
            )
        else:
            card = replace(card, balance=card.balance - points)
    return card


def summed(terms: Programme, card: Card, now: int, position: int) -> Card:
    card = activated(card, now)
    rank = terms.rank(card.tier)
    ahead = terms.tiers[rank] if rank < len(terms.tiers) else None
    return replace(
        card,
        points=max(0, card.balance),
        debt=max(0, -card.balance),
        pending=sum(activation.points for activation in card.activations) + sum(card.undelivered.values()),
        next_tier=ahead.name if ahead else None,
        to_next_tier=max(0, ahead.threshold * terms.unit - card.qualifying) if ahead else None,
        as_of=now,
        position=position,
    )


def card(terms: Programme) -> Documents:
    return one_document(
        "card", 1, {"card": Card}, Event.__args__, lambda event: f"card:{event.member}", partial(project, terms)
    )
