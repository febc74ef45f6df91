"""The member's card: who they are, their points, their tier, and what changes next.

Money is minor units, instants are UTC epoch milliseconds. ``points`` are right as of ``as_of``; a reader at a later instant
adds the points of every ``activation`` that is due by then (first against ``debt``), so the card needs no job to stay true.
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
    """``active``: points of active lots, before what is owed; ``undelivered``: pending points by lot, not dated yet."""

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
    activations: tuple[Activation, ...] = ()
    undelivered: Mapping[str, int] = field(default_factory=dict)
    active: int = 0
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
            left = dict(card.undelivered)
            activation = Activation(event.active_from, left.pop(event.lot, 0), event.lot)
            return replace(card, undelivered=left, activations=tuple(sorted((*card.activations, activation), key=due)))
        case PointsRedeemed():
            return taken(card, event.allocations)
        case PointsClawedBack():
            return replace(taken(card, event.allocations), debt=card.debt + event.debt_added, qualifying=event.qualifying)
        case DebtSettled():
            return replace(taken(card, ((event.lot, event.points),)), debt=card.debt - event.points)
        case TierRaised() | TierExtended() | TierLowered():
            return replace(card, tier=event.tier, tier_until=event.valid_until, qualifying=event.qualifying)
        case MemberErased():
            return card


def due(activation: Activation) -> tuple[int, str]:
    return activation.at, activation.lot


def activated(card: Card, now: int) -> Card:
    """What has become due by ``now`` is spendable."""
    if not card.activations or card.activations[0].at > now:
        return card
    active = card.active + sum(activation.points for activation in card.activations if activation.at <= now)
    return replace(card, active=active, activations=tuple(a for a in card.activations if a.at > now))


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
            card = replace(card, active=card.active - points)
    return card


def summed(terms: Programme, card: Card, now: int, position: int) -> Card:
    card = activated(card, now)
    rank = terms.rank(card.tier)
    ahead = terms.tiers[rank] if rank < len(terms.tiers) else None
    return replace(
        card,
        points=max(0, card.active - card.debt),
        pending=sum(activation.points for activation in card.activations) + sum(card.undelivered.values()),
        next_tier=ahead.name if ahead else None,
        to_next_tier=max(0, ahead.threshold * terms.unit - card.qualifying) if ahead else None,
        as_of=now,
        position=position,
    )


def card(terms: Programme) -> Documents:
    return one_document("card", 1, Card, Event.__args__, lambda event: str(event.member), partial(project, terms))
