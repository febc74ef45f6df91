"""The points ledger by lot: each movement that an event makes, and what is left of each lot.

The rows of an event add up to what the books say it moves (``aggregates/membership/ledger``); a test holds them together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from infra.spilling import SpillFile, SpillingRecords


class LedgerRow(NamedTuple):
    """``points`` more, or fewer, in a lot of a wallet; kind ``owed`` is the member's debt, and has no lot."""

    wallet: str
    lot: str | None
    kind: str
    points: int
    order: str | None
    rule: str | None
    policy: int | None


class LotRow(NamedTuple):
    """A lot as it stands. ``left`` includes what is held."""

    member: str
    lot: str
    wallet: str
    granted: int
    left: int
    active_from: int | None
    expires_at: int | None
    order: str | None
    rule: str | None
    policy: int | None
    position: int


NEW_LOT: dict[str, Any] = {"left": 0, "active_from": None, "expires_at": None, "order": None, "rule": None, "policy": None}
"""What a lot has until an event says otherwise."""


class LotRows:
    """What is left of each lot, kept up from the ledger's rows. ``spill``: where lots wait that memory has no room for."""

    def __init__(self, spill: SpillFile) -> None:
        self._lots = SpillingRecords(spill, sums=("left",))

    def grant(self, member: str, lot: str, wallet: str, points: int, position: int, **told: Any) -> None:
        self._lots.change((member, lot), {"wallet": wallet, "granted": points, "position": position, **told})

    def activate(self, member: str, lot: str, active_from: int, expires_at: int | None, position: int) -> None:
        dates = {"active_from": active_from, "expires_at": expires_at}
        self._lots.change((member, lot), {**dates, "position": position})

    def move(self, member: str, lot: str, points: int, position: int) -> None:
        self._lots.add((member, lot), "left", points)
        self._lots.change((member, lot), {"position": position})

    def rows(self) -> Iterator[LotRow]:
        """Yield a row for each lot that was granted, by member and lot."""
        for (member, lot), told in self._lots.items():
            if "wallet" in told:
                yield LotRow(member, lot, **NEW_LOT | told)


Parts: TypeAlias = Iterator[tuple[str | None, str, int]]
"""Lot, kind, points."""


def ledger_rows(event: Any, lots: LotRows, position: int) -> Iterator[LedgerRow]:
    """Yield the movements of an event of a membership, and take them into the lots."""
    _open_lots(event, lots, position)
    terms = getattr(event, "order", None), getattr(event, "rule", None), getattr(event, "terms", None)
    for lot, kind, points in _parts(event):
        if lot is not None:
            lots.move(event.member, lot, points, position)
        yield LedgerRow(event.wallet, lot, kind, points, *terms)


def _open_lots(event: Any, lots: LotRows, position: int) -> None:
    name = type(event).__name__
    if name == "PointsGranted":
        told = {"order": event.order, "rule": event.rule, "policy": event.terms}
        lots.grant(event.member, event.lot, event.wallet, event.points, position, **told)
    elif name == "LotActivated":
        lots.activate(event.member, event.lot, event.active_from, event.expires_at, position)
    elif name in ("PointsAdjusted", "PointsReinstated") and event.lot is not None and event.points > 0:
        until = {"active_from": event.at, "expires_at": event.expires_at}
        lots.grant(event.member, event.lot, event.wallet, event.points, position, **until)
    elif name in ("PointsReturned", "HoldReleased") or (name == "PointsTransferred" and event.direction == "in"):
        for issued in event.lots if name == "PointsTransferred" else event.reissued:
            until = {"active_from": event.at, "expires_at": issued.expires_at}
            lots.grant(event.member, issued.lot, event.wallet, issued.points, position, **until)


def _parts(event: Any) -> Parts:
    """Yield lot, kind and points of each movement; nothing for an event that moves none."""
    match type(event).__name__:
        case "PointsGranted":
            yield event.lot, "granted", event.points
        case "PointsRedeemed":
            yield from ((lot, "redeemed", -points) for lot, points in event.allocations)
        case "PointsClawedBack":
            yield from ((lot, "clawed back", -points) for lot, points in event.allocations)
            if event.debt_added:
                yield None, "owed", event.debt_added
        case "DebtSettled":
            yield event.lot, "debt settled", -event.points
            yield None, "owed", -event.points
        case "PointsReturned":
            yield from ((lot, "returned", points) for lot, points in event.restored)
            yield from ((issued.lot, "reissued", issued.points) for issued in event.reissued)
        case "HoldReleased":
            yield from ((lot, "expired", -points) for lot, points in event.lapsed)
            for issued in event.reissued:
                yield issued.source, "reissued", -issued.points
                yield issued.lot, "reissued", issued.points
        case "LotExpired":
            yield event.lot, "expired", -event.points
        case "PointsAdjusted" if event.points > 0:
            yield event.lot, "adjusted", event.points
        case "PointsAdjusted":
            yield from ((lot, "adjusted", -points) for lot, points in event.allocations)
        case "PointsReinstated":
            yield event.lot, "reinstated", event.points
        case "PointsTransferred" if event.direction == "in":
            yield from ((issued.lot, "transferred in", issued.points) for issued in event.lots)
        case "PointsTransferred":
            yield from ((issued.source, "transferred out", -issued.points) for issued in event.lots)
        case _:
            return
