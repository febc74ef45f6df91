"""The points of one wallet as a card shows them, and what of them changes next, so that no job is needed to keep it true.

A reader at a later instant takes the latest of ``changes`` that is due by then; the next ones of many are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, assert_never

from aggregates.membership.events import (
    Allocations,
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
    RewardClaimed,
)
from aggregates.value import Value

TOLD = 8
"""So many of the next changes are told."""


class Activation(Value):
    """``points`` become spendable ``at``, until ``expires_at``."""

    at: int
    points: int
    lot: str
    expires_at: int | None = None


class Expiry(Value):
    """``points`` lapse ``at``, unless they are spent before."""

    at: int
    points: int
    lot: str


class Change(Value):
    """From ``at`` on, the balance and what is pending, if nothing else happens."""

    at: int
    balance: int
    pending: int


class WalletView(Value):
    """``balance``: ``points`` less ``debt``, one of which is 0; ``undelivered``: pending points by lot, not dated yet.

    ``holds``: ``points`` set apart, by hold, ``until`` when, and those ``kept`` if nobody settles the order.
    """

    points: int = 0
    pending: int = 0
    debt: int = 0
    held: int = 0
    balance: int = 0
    activations: tuple[Activation, ...] = ()
    expiries: tuple[Expiry, ...] = ()
    undelivered: Mapping[str, int] = {}
    holds: Mapping[str, Mapping[str, int]] = {}
    changes: tuple[Change, ...] = ()


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
)

Told: TypeAlias = dict[str, Any]
"""A purse's fields."""


def after(told: Told, event: Event) -> Told:
    """A purse's fields, what is due by the event included, once it has happened."""
    match event:
        case PointsGranted():
            return told | {"undelivered": {**told["undelivered"], event.lot: event.points}}
        case LotActivated():
            return dated(told, event)
        case PointsRedeemed():
            return moved(told, event.allocations, -1)
        case PointsClawedBack():
            clawed = moved(told, event.allocations, -1)
            return clawed | {"balance": clawed["balance"] - event.debt_added}
        case DebtSettled():
            settled = moved(told, ((event.lot, event.points),), -1)
            return settled | {"balance": told["balance"]}  # the points and the debt that they pay
        case RewardClaimed():
            return told  # its redemption takes the points
        case PointsReturned():
            return issued(moved(told, event.restored, 1), event.reissued)
        case PointsHeld() | HoldCaptured() | HoldReleased():
            return with_hold(told, event)
        case LotExpired():
            return moved(told, ((event.lot, event.points),), -1)
        case PointsAdjusted():
            new = () if event.lot is None else ((event.lot, event.points, event.expires_at),)
            return added(moved(told, event.allocations, -1), new)
        case PointsReinstated():
            return added(told, ((event.lot, event.points, event.expires_at),))
        case PointsTransferred():
            if event.direction == "in":
                return issued(told, event.lots)
            return moved(told, tuple((lot.source, lot.points) for lot in event.lots), -1)
        case _:
            assert_never(event)


def dated(told: Told, event: LotActivated) -> Told:
    left = dict(told["undelivered"])
    points = left.pop(event.lot, 0)
    new = (Activation(event.active_from, points, event.lot, event.expires_at),) if points else ()
    activations = tuple(sorted((*told["activations"], *new), key=due)) if new else told["activations"]
    return told | {"undelivered": left, "activations": activations}


def due(item: Activation | Expiry) -> tuple[int, str]:
    return item.at, item.lot


def with_hold(told: Told, event: PointsHeld | HoldCaptured | HoldReleased) -> Told:
    if isinstance(event, PointsHeld):
        hold = {"points": event.points, "until": event.until, "kept": event.points - lapsing(told, event)}
        return moved(told, event.allocations, -1) | {"holds": {**told["holds"], event.hold: hold}}
    left = {"holds": {name: hold for name, hold in told["holds"].items() if name != event.hold}}
    if isinstance(event, HoldCaptured):
        return moved(told, event.allocations, 1) | left
    return issued(moved(told, event.restored, 1), event.reissued) | left


def lapsing(told: Told, event: PointsHeld) -> int:
    """How many of the held points will be over by the end of the hold."""
    ends = {one.lot: one.at for one in told["expiries"]}
    return sum(points for lot, points in event.allocations if ends.get(lot, event.until + 1) <= event.until)


def issued(told: Told, lots: Any) -> Told:
    return added(told, tuple((lot.lot, lot.points, lot.expires_at) for lot in lots))


def added(told: Told, lots: tuple[tuple[str, int, int | None], ...]) -> Told:
    """With new lots, spendable at once."""
    new = tuple(Expiry(ends, points, lot) for lot, points, ends in lots if ends is not None)
    balance = told["balance"] + sum(points for _, points, _ in lots)
    expiries = tuple(sorted((*told["expiries"], *new), key=due)) if new else told["expiries"]
    return told | {"balance": balance, "expiries": expiries}


def moved(told: Told, allocations: Allocations, sign: int) -> Told:
    """Points taken from, or given back to, the lots they were allocated to, be they spendable, dated or undelivered."""
    undelivered, balance = dict(told["undelivered"]), told["balance"]
    activations = {one.lot: one for one in told["activations"]}
    expiries = {one.lot: one for one in told["expiries"]}
    for lot, points in allocations:
        change = sign * points
        if lot in undelivered:
            undelivered[lot] += change
        elif lot in activations:
            known = activations[lot]
            activations[lot] = Activation(known.at, known.points + change, lot, known.expires_at)
        else:
            balance += change
            if lot in expiries:
                expiries[lot] = Expiry(expiries[lot].at, expiries[lot].points + change, lot)
    return told | {
        "undelivered": undelivered,
        "activations": tuple(activations.values()),
        "expiries": tuple(expiries.values()),
        "balance": balance,
    }
