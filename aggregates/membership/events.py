"""All events of a membership, from its three topics: the ledger of points, earning, and tiers. They share one stream."""

from __future__ import annotations

from typing import TypeAlias

from aggregates.membership.earning.state import (
    ActionRecorded,
    MemberTagged,
    MissionAdvanced,
    StreakExtended,
)
from aggregates.membership.ledger.events import (
    DebtSettled,
    HoldCaptured,
    HoldReleased,
    LotActivated,
    LotExpired,
    PointsAdjusted,
    PointsClawedBack,
    PointsGranted,
    PointsHeld,
    PointsRedeemed,
    PointsReinstated,
    PointsReturned,
    PointsTransferred,
    PoolEntered,
    PoolExited,
    PoolJoined,
    PoolLeft,
    PoolUsed,
    RewardClaimed,
    RewardReturned,
)
from aggregates.membership.ledger.lots import Allocations
from aggregates.membership.tiers.state import (
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
    "HoldCaptured",
    "HoldReleased",
    "LotActivated",
    "LotExpired",
    "MemberTagged",
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
    "StreakExtended",
    "TierExtended",
    "TierGraceStarted",
    "TierLowered",
    "TierOverridden",
    "TierOverrideEnded",
    "TierRaised",
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
