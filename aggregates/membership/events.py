"""What can be true of a membership: its ledger of points, what it earns by, its standing; three parts of one stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from aggregates.membership.earning import state as earning
from aggregates.membership.earning.events import ActionRecorded, MemberTagged, MissionAdvanced, StreakExtended
from aggregates.membership.earning.state import Earning
from aggregates.membership.ledger import balances, folding
from aggregates.membership.ledger.grants import Allocations, LotActivated, PointsClawedBack, PointsGranted
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.lots import DEFAULT_WALLET
from aggregates.membership.ledger.moves import DebtSettled, LotExpired, PointsAdjusted, PointsReinstated, PointsTransferred
from aggregates.membership.ledger.pools import PoolEntered, PoolExited, PoolJoined, PoolLeft, PoolUsed
from aggregates.membership.ledger.uses import (
    HoldCaptured,
    HoldReleased,
    PointsHeld,
    PointsRedeemed,
    PointsReturned,
    RewardClaimed,
    RewardReturned,
)
from aggregates.membership.tiers import state as standing
from aggregates.membership.tiers.state import (
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
    "ActionRecorded",
    "Allocations",
    "DebtSettled",
    "Event",
    "Held",
    "HoldCaptured",
    "HoldReleased",
    "LotActivated",
    "LotExpired",
    "MemberTagged",
    "Membership",
    "MissionAdvanced",
    "PointsAdjusted",
    "PointsClawedBack",
    "PointsGranted",
    "PointsHeld",
    "PointsRedeemed",
    "PointsReinstated",
    "PointsReturned",
    "PointsTransferred",
    "PoolEntered",
    "PoolExited",
    "PoolJoined",
    "PoolLeft",
    "PoolUsed",
    "RewardClaimed",
    "RewardReturned",
    "Standing",
    "StreakExtended",
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
    | PointsReturned
    | PointsHeld
    | HoldCaptured
    | HoldReleased
    | LotExpired
    | PointsAdjusted
    | PointsReinstated
    | PointsTransferred
    | RewardClaimed
    | RewardReturned
    | PoolJoined
    | PoolEntered
    | PoolLeft
    | PoolExited
    | PoolUsed
    | ActionRecorded
    | StreakExtended
    | MissionAdvanced
    | MemberTagged
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

    def balance(self, now: int, wallet: str = DEFAULT_WALLET) -> int:
        """Points that can be spent at an instant, above nothing; below it, what is owed."""
        return balances.balance(self.points, now, self.latest, wallet)

    def available(self, now: int, wallet: str = DEFAULT_WALLET) -> int:
        return max(0, self.balance(now, wallet))

    def debt(self, now: int, wallet: str = DEFAULT_WALLET) -> int:
        return max(0, -self.balance(now, wallet))

    def pending(self, now: int, wallet: str = DEFAULT_WALLET) -> int:
        return balances.pending(self.points, now, wallet)

    def held(self, now: int, wallet: str = DEFAULT_WALLET) -> int:
        return balances.held(self.points, now, self.latest, wallet)


def evolve(state: Membership, event: Event) -> Membership:
    """Each part takes the events that concern it; a purchase concerns two."""
    latest = event.at if event.at > state.latest else state.latest
    match event:
        case LotActivated():
            return Membership(folding.evolve(state.points, event), state.earning, state.standing, latest)
        case PointsGranted() | PointsClawedBack():
            ledger, earned = folding.evolve(state.points, event), earning.evolve(state.earning, event)
            return Membership(ledger, earned, state.standing, latest)
        case ActionRecorded() | StreakExtended() | MissionAdvanced() | MemberTagged():
            return Membership(state.points, earning.evolve(state.earning, event), state.standing, latest)
        case TierRaised() | TierExtended() | TierGraceStarted() | TierLowered() | TierOverridden() | TierOverrideEnded():
            return Membership(state.points, state.earning, standing.evolve(state.standing, event), latest)
        case _:
            return Membership(folding.evolve(state.points, event), state.earning, state.standing, latest)
