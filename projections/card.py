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
from typing import Any, TypeAlias

from aggregates.member import MemberClosed, MemberErased, MemberProfileChanged, MemberRegistered
from aggregates.membership.facts import (
    Allocations,
    DebtSettled,
    LotActivated,
    PointsClawedBack,
    PointsGranted,
    PointsRedeemed,
)
from aggregates.programme import ENTRY_TIER, Benefits, Metric, Programme
from projections.card_tier import Event as TierEvent
from projections.card_tier import Override, tier_changes
from projections.kernel import Documents, one_document, with_changes


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
    earned_tier: str = ENTRY_TIER
    grace_until: int | None = None
    provisional_until: int | None = None
    override: Override | None = None
    benefits: Benefits = field(default_factory=Benefits)
    metric: Metric = "spend"
    leaving: int = 0
    forecast: int | None = None


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
    | TierEvent
)


def project(terms: Programme, card: Card | None, event: Event, position: int) -> Card:
    if card and card.status == "erased":
        return card
    if isinstance(event, MemberErased):
        return Card(event.member, "erased", as_of=event.at, position=position)
    now = max(card.as_of, event.at) if card else event.at
    card = activated(card or Card(event.member), now)
    return summed(terms, card, changes(card, event), now, position)


def changes(card: Card, event: Event) -> dict[str, Any]:
    """What an event changes of a card, by field."""
    match event:
        case MemberRegistered() | MemberProfileChanged():
            told = {name: getattr(event, name) for name in ("name", "email", "birthday", "profile")}
            registered_at = event.at if isinstance(event, MemberRegistered) else card.registered_at
            return {"status": "registered", "registered_at": registered_at, **told}
        case MemberClosed():
            return {"status": "closed"}
        case PointsGranted():
            return {"undelivered": {**card.undelivered, event.lot: event.points}, "qualifying": event.qualifying}
        case LotActivated():
            return dated(card, event)
        case PointsRedeemed():
            return taken(card, event.allocations)
        case PointsClawedBack():
            change = {"balance": card.balance} | taken(card, event.allocations)
            return change | {"balance": change["balance"] - event.debt_added, "qualifying": event.qualifying}
        case DebtSettled() | MemberErased():
            return {}  # active points go against what is owed: the balance has both
        case _:
            return tier_changes(event)


def dated(card: Card, event: LotActivated) -> dict[str, Any]:
    left = dict(card.undelivered)
    points = left.pop(event.lot, 0)
    new = (Activation(event.active_from, points, event.lot),) if points else ()
    return {"undelivered": left, "activations": tuple(sorted((*card.activations, *new), key=due))}


def due(activation: Activation) -> tuple[int, str]:
    return activation.at, activation.lot


def activated(card: Card, now: int) -> Card:
    told = vars(card)
    return card if told is (due_by := settled(told, now)) else with_changes(card, **due_by)


def settled(told: dict[str, Any], now: int) -> dict[str, Any]:
    """A card's fields with what has become due by ``now`` spendable."""
    activations = told["activations"]
    if not activations or activations[0].at > now:
        return told
    balance = told["balance"] + sum(activation.points for activation in activations if activation.at <= now)
    return told | {"balance": balance, "activations": tuple(a for a in activations if a.at > now)}


def taken(card: Card, allocations: Allocations) -> dict[str, Any]:
    """Take points from the lots they were allocated to, be they active, dated or undelivered."""
    undelivered, activations, balance = dict(card.undelivered), {a.lot: a for a in card.activations}, card.balance
    for lot, points in allocations:
        if lot in undelivered:
            undelivered[lot] -= points
        elif lot in activations:
            activations[lot] = replace(activations[lot], points=activations[lot].points - points)
        else:
            balance -= points
    return {"undelivered": undelivered, "activations": tuple(activations.values()), "balance": balance}


def summed(terms: Programme, card: Card, changed: dict[str, Any], now: int, position: int) -> Card:
    """The card with what an event changed and what follows from it."""
    told = settled(vars(card) | changed, now)
    if "next_tier" not in changed and ("qualifying" in changed or not card.position):
        told |= toward(terms, told["tier"], told["qualifying"])
    told |= {
        "points": max(0, told["balance"]),
        "debt": max(0, -told["balance"]),
        "pending": sum(a.points for a in told["activations"]) + sum(told["undelivered"].values()),
        "as_of": now,
        "position": position,
    }
    return with_changes(card, **told)


def toward(terms: Programme, tier: str, qualifying: int) -> dict[str, Any]:
    """The next tier, where the event does not tell it."""
    rank = terms.rank(tier)
    ahead = terms.tiers[rank] if rank < len(terms.tiers) else None
    missing = max(0, ahead.threshold * terms.scale - qualifying) if ahead else None
    return {"next_tier": ahead.name if ahead else None, "to_next_tier": missing}


def card(terms: Programme) -> Documents:
    return one_document(
        "card", 1, {"card": Card}, Event.__args__, lambda event: f"card:{event.member}", partial(project, terms)
    )
