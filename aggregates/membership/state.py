"""The state of a membership, and the fold that applies each event to the topics it concerns."""

from __future__ import annotations

from dataclasses import dataclass, field

from aggregates.membership.earning.state import EarningState, evolve_earning
from aggregates.membership.events import (
    ActionRecorded,
    Event,
    LotActivated,
    MemberTagged,
    MissionAdvanced,
    PointsClawedBack,
    PointsGranted,
    StreakExtended,
    TierExtended,
    TierGraceStarted,
    TierLowered,
    TierOverridden,
    TierOverrideEnded,
    TierRaised,
)
from aggregates.membership.ledger.lots import DEFAULT_WALLET
from aggregates.membership.ledger.state import Ledger, balance, evolve_ledger, held_points, pending_points
from aggregates.membership.tiers.state import TierState, evolve_tier


@dataclass(frozen=True)
class Membership:
    points: Ledger = field(default_factory=Ledger)
    earning: EarningState = field(default_factory=EarningState)
    standing: TierState = field(default_factory=TierState)
    latest: int = 0  # the latest instant decided at: decisions never act backwards

    @property
    def tier(self) -> str:
        return self.standing.now.tier

    def balance(self, now: int, wallet: str = DEFAULT_WALLET) -> int:
        """Return the points that can be spent at an instant; below 0, the points owed."""
        return balance(self.points, now, self.latest, wallet)

    def available(self, now: int, wallet: str = DEFAULT_WALLET) -> int:
        return max(0, self.balance(now, wallet))

    def debt(self, now: int, wallet: str = DEFAULT_WALLET) -> int:
        return max(0, -self.balance(now, wallet))

    def pending(self, now: int, wallet: str = DEFAULT_WALLET) -> int:
        return pending_points(self.points, now, wallet)

    def held(self, now: int, wallet: str = DEFAULT_WALLET) -> int:
        return held_points(self.points, now, self.latest, wallet)


def evolve(state: Membership, event: Event) -> Membership:
    """Return the state after an event. Each topic takes the events that concern it; a purchase concerns two."""
    latest = event.at if event.at > state.latest else state.latest
    match event:
        case LotActivated():
            return Membership(evolve_ledger(state.points, event), state.earning, state.standing, latest)
        case PointsGranted() | PointsClawedBack():
            ledger, earned = evolve_ledger(state.points, event), evolve_earning(state.earning, event)
            return Membership(ledger, earned, state.standing, latest)
        case ActionRecorded() | StreakExtended() | MissionAdvanced() | MemberTagged():
            return Membership(state.points, evolve_earning(state.earning, event), state.standing, latest)
        case TierRaised() | TierExtended() | TierGraceStarted() | TierLowered() | TierOverridden() | TierOverrideEnded():
            return Membership(state.points, state.earning, evolve_tier(state.standing, event), latest)
        case _:
            return Membership(evolve_ledger(state.points, event), state.earning, state.standing, latest)
