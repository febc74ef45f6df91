"""What can be true of a membership: its ledger of points, what it earns by, its standing; three parts of one stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from aggregates.membership import earning, points, standing
from aggregates.membership.earning import Earning
from aggregates.membership.points import (
    Allocations,
    DebtSettled,
    Ledger,
    LotActivated,
    PointsClawedBack,
    PointsGranted,
    PointsRedeemed,
)
from aggregates.membership.standing import (
    Held,
    Standing,
    TierExtended,
    TierGraceStarted,
    TierLowered,
    TierOverridden,
    TierOverrideEnded,
    TierRaised,
)

__all__ = [
    "Allocations",
    "DebtSettled",
    "Event",
    "Held",
    "LotActivated",
    "Membership",
    "PointsClawedBack",
    "PointsGranted",
    "PointsRedeemed",
    "Standing",
    "TierExtended",
    "TierGraceStarted",
    "TierLowered",
    "TierOverridden",
    "TierOverrideEnded",
    "TierRaised",
    "evolve",
]

Event: TypeAlias = (
    PointsGranted
    | LotActivated
    | PointsRedeemed
    | PointsClawedBack
    | DebtSettled
    | TierRaised
    | TierExtended
    | TierGraceStarted
    | TierLowered
    | TierOverridden
    | TierOverrideEnded
)


@dataclass(frozen=True)
class Membership:
    points: Ledger = field(default_factory=Ledger)
    earning: Earning = field(default_factory=Earning)
    standing: Standing = field(default_factory=Standing)
    latest: int = 0  # the latest instant decided at: decisions never act backwards

    @property
    def tier(self) -> str:
        return self.standing.now.tier


def evolve(state: Membership, event: Event) -> Membership:
    """Each part takes the events that concern it; a purchase concerns two."""
    latest = event.at if event.at > state.latest else state.latest
    match event:
        case PointsGranted() | PointsClawedBack():
            ledger, earned = points.evolve(state.points, event), earning.evolve(state.earning, event)
            return Membership(ledger, earned, state.standing, latest)
        case LotActivated() | PointsRedeemed() | DebtSettled():
            return Membership(points.evolve(state.points, event), state.earning, state.standing, latest)
        case _:
            return Membership(state.points, state.earning, standing.evolve(state.standing, event), latest)
