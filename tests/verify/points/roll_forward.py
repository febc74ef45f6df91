"""The identity of every day: opening + granted + returned + reissued + received - redeemed - expired - clawed - settled - sent
± adjusted = closing, of each member and wallet, from the stored bytes of the log alone.

It shares no code with the ledger: whatever an event says that it moves is summed up here, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Raw: TypeAlias = dict[str, Any]

SIGNS = {
    "granted": 1,
    "returned": 1,
    "reissued": 1,
    "reinstated": 1,
    "transfer_in": 1,
    "adjusted": 1,
    "redeemed": -1,
    "expired": -1,
    "clawed": -1,
    "debt_settled": -1,
    "transfer_out": -1,
}
"""The columns of the roll-forward."""

WITHOUT_POINTS = {
    "LotActivated",
    "RewardClaimed",
    "PoolJoined",
    "PoolEntered",
    "PoolLeft",
    "PoolExited",
    "PoolUsed",
    "ActionRecorded",
    "StreakExtended",
    "MissionAdvanced",
    "MemberTagged",
    "TierRaised",
    "TierExtended",
    "TierGraceStarted",
    "TierLowered",
    "TierOverridden",
    "TierOverrideEnded",
}


@dataclass
class Account:
    """A wallet of a member: ``moved`` by column since the beginning; ``held`` of the points that are there; ``debt``."""

    moved: Counter[str] = field(default_factory=Counter)
    held: int = 0
    debt: int = 0

    @property
    def closing(self) -> int:
        """Points that are there: spendable, pending or held."""
        return sum(SIGNS[column] * points for column, points in self.moved.items())


def movements(name: str, raw: Raw) -> Iterator[tuple[str, int]]:
    """What an event of a stored ``name`` moves, by column; ``held`` and ``debt`` beside them. Raises for one not known here."""
    match name.partition(".")[0]:
        case "PointsGranted":
            yield "granted", raw["points"]
        case "PointsRedeemed":
            yield "redeemed", whole(raw)
        case "PointsReturned":
            yield "returned", total(raw["restored"])
            yield "reissued", issued(raw["reissued"])
        case "PointsHeld":
            yield "held", whole(raw)
        case "HoldCaptured":
            yield "held", -total(raw["allocations"])
        case "HoldReleased":
            yield "held", -total(raw["restored"]) - total(raw["lapsed"]) - issued(raw["reissued"])
            yield "expired", total(raw["lapsed"])
        case "PointsClawedBack":
            taken = total(raw["allocations"])
            assert taken + raw["debt_added"] + raw["lapsed"] + raw["written_off"] == raw["points"], raw
            yield "clawed", taken
            yield "debt", raw["debt_added"]
        case "DebtSettled":
            yield "debt_settled", raw["points"]
            yield "debt", -raw["points"]
        case "LotExpired":
            yield "expired", raw["points"]
        case "PointsAdjusted":
            assert raw["points"] > 0 or total(raw["allocations"]) == -raw["points"], raw
            yield "adjusted", raw["points"]
        case "PointsReinstated":
            yield "reinstated", raw["points"]
        case "PointsTransferred":
            assert issued(raw["lots"]) == raw["points"], raw
            yield f"transfer_{raw['direction']}", raw["points"]
        case other:
            assert other in WITHOUT_POINTS, f"{other}: does it move points?"


def move(accounts: dict[str, Account], name: str, raw: Raw) -> None:
    for column, points in movements(name, raw):
        account = accounts.setdefault(raw["wallet"], Account())
        if column in SIGNS:
            account.moved[column] += points
        else:
            setattr(account, column, getattr(account, column) + points)


def whole(raw: Raw) -> int:
    assert total(raw["allocations"]) == raw["points"], raw
    return int(raw["points"])


def total(allocations: Iterable[tuple[str, int]]) -> int:
    return sum(points for _, points in allocations)


def issued(lots: Iterable[Raw]) -> int:
    return sum(lot["points"] for lot in lots)
