"""The card's part on the tier: all of it frozen in the member's own facts, so that no fold has to know the policy."""

from __future__ import annotations

from typing import Any, TypeAlias

from aggregates.membership.events import (
    TierExtended,
    TierGraceStarted,
    TierLowered,
    TierOverridden,
    TierOverrideEnded,
    TierRaised,
)
from aggregates.membership.tiers.progress import Ahead, Shown
from aggregates.value import Value

Event: TypeAlias = TierRaised | TierExtended | TierGraceStarted | TierLowered | TierOverridden | TierOverrideEnded


class Override(Value):
    """``kind``: ``pin`` or ``floor``; over from ``until`` on, if there is one."""

    kind: str
    tier: str
    until: int | None


def tier_changes(event: Event) -> dict[str, Any]:
    """What an event changes of a card, by field."""
    match event:
        case TierRaised():
            held = {"tier_until": event.valid_until, "grace_until": None, "provisional_until": event.provisional_until}
            return earned(event.tier, event.qualifying, event.shown) | held
        case TierExtended() | TierLowered():
            held = {"tier_until": event.valid_until, "grace_until": None, "provisional_until": None}
            return earned(event.tier, event.qualifying, event.shown) | held
        case TierGraceStarted():
            return earned(event.tier, event.qualifying, event.shown) | {"grace_until": event.grace_until}
        case TierOverridden():
            return {"override": Override(event.kind, event.tier, event.until)} | seen(event.shown)
        case TierOverrideEnded():
            return {"override": None} | seen(event.shown)


def earned(tier: str, qualifying: int, shown: Shown | None) -> dict[str, Any]:
    """``shown``: None in facts from before it was told, when what was earned was in effect."""
    told = {"earned_tier": tier, "qualifying": qualifying}
    return told | ({"tier": tier} if shown is None else seen(shown))


def seen(shown: Shown) -> dict[str, Any]:
    return {"tier": shown.tier, "benefits": shown.benefits} | progress(shown.ahead)


def towards(qualifying: int, ahead: Ahead | None) -> dict[str, Any]:
    """``ahead``: None where another fact tells the way, or none did yet."""
    return {"qualifying": qualifying} | (progress(ahead) if ahead else {})


def progress(ahead: Ahead) -> dict[str, Any]:
    return {
        "metric": ahead.metric,
        "next_tier": ahead.tier,
        "to_next_tier": None if ahead.tier is None else ahead.missing,
        "leaving": ahead.leaving,
        "forecast": ahead.forecast,
    }
