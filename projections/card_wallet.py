"""A wallet of points as a card shows it, and what changes next in it, so that no job is needed to keep it true.

A reader at a later instant takes the latest of ``changes`` that is due by then. Only the next :data:`SHOWN` are listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

SHOWN = 8
"""How many of the next changes are listed."""


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
    """``balance``: ``points`` less ``debt``, one of which is 0. ``undelivered``: pending points by lot, without a date yet.

    ``holds``: by hold the ``points`` set apart, ``until`` when, and those ``kept`` if nobody settles the order.
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

WalletFields: TypeAlias = dict[str, Any]
"""The fields of a :class:`WalletView`, with or without those that follow from the others (:data:`DERIVED`)."""

DERIVED = ("points", "pending", "debt", "held", "changes")


# What events change


def apply_event(wallet: WalletFields, event: Event) -> WalletFields:
    """Return a wallet after an event; what is due by the event must be settled."""
    match event:
        case PointsGranted():
            return wallet | {"undelivered": {**wallet["undelivered"], event.lot: event.points}}
        case LotActivated():
            return date_lot(wallet, event)
        case PointsRedeemed():
            return move_points(wallet, event.allocations, -1)
        case PointsClawedBack():
            clawed = move_points(wallet, event.allocations, -1)
            return clawed | {"balance": clawed["balance"] - event.debt_added}
        case DebtSettled():
            moved = move_points(wallet, ((event.lot, event.points),), -1)
            return moved | {"balance": wallet["balance"]}  # the points and the debt that they pay
        case RewardClaimed():
            return wallet  # its redemption takes the points
        case PointsReturned():
            return issue_lots(move_points(wallet, event.restored, 1), event.reissued)
        case PointsHeld() | HoldCaptured() | HoldReleased():
            return change_hold(wallet, event)
        case LotExpired():
            return move_points(wallet, ((event.lot, event.points),), -1)
        case PointsAdjusted():
            new = () if event.lot is None else ((event.lot, event.points, event.expires_at),)
            return add_lots(move_points(wallet, event.allocations, -1), new)
        case PointsReinstated():
            return add_lots(wallet, ((event.lot, event.points, event.expires_at),))
        case PointsTransferred():
            if event.direction == "in":
                return issue_lots(wallet, event.lots)
            return move_points(wallet, tuple((lot.source, lot.points) for lot in event.lots), -1)
        case _:
            assert_never(event)


def date_lot(wallet: WalletFields, event: LotActivated) -> WalletFields:
    """Give an undelivered lot the instant from which its points are spendable."""
    left = dict(wallet["undelivered"])
    points = left.pop(event.lot, 0)
    new = (Activation(event.active_from, points, event.lot, event.expires_at),) if points else ()
    activations = tuple(sorted((*wallet["activations"], *new), key=due_order)) if new else wallet["activations"]
    return wallet | {"undelivered": left, "activations": activations}


def due_order(item: Activation | Expiry) -> tuple[int, str]:
    return item.at, item.lot


def change_hold(wallet: WalletFields, event: PointsHeld | HoldCaptured | HoldReleased) -> WalletFields:
    """Set points apart, or end a hold: captured ones return first, since their redemption takes them."""
    if isinstance(event, PointsHeld):
        hold = {"points": event.points, "until": event.until, "kept": event.points - points_lapsing(wallet, event)}
        return move_points(wallet, event.allocations, -1) | {"holds": {**wallet["holds"], event.hold: hold}}
    left = {"holds": {name: hold for name, hold in wallet["holds"].items() if name != event.hold}}
    if isinstance(event, HoldCaptured):
        return move_points(wallet, event.allocations, 1) | left
    return issue_lots(move_points(wallet, event.restored, 1), event.reissued) | left


def points_lapsing(wallet: WalletFields, event: PointsHeld) -> int:
    """Return how many of the held points lapse by the end of the hold."""
    ends = {one.lot: one.at for one in wallet["expiries"]}
    return sum(points for lot, points in event.allocations if ends.get(lot, event.until + 1) <= event.until)


def issue_lots(wallet: WalletFields, lots: Any) -> WalletFields:
    """Add lots of an event."""
    return add_lots(wallet, tuple((lot.lot, lot.points, lot.expires_at) for lot in lots))


def add_lots(wallet: WalletFields, lots: tuple[tuple[str, int, int | None], ...]) -> WalletFields:
    """Add new lots (id, points, end), spendable at once."""
    new = tuple(Expiry(ends, points, lot) for lot, points, ends in lots if ends is not None)
    balance = wallet["balance"] + sum(points for _, points, _ in lots)
    expiries = tuple(sorted((*wallet["expiries"], *new), key=due_order)) if new else wallet["expiries"]
    return wallet | {"balance": balance, "expiries": expiries}


def move_points(wallet: WalletFields, allocations: Allocations, sign: int) -> WalletFields:
    """Take points from the lots they are allocated to, or give them back: spendable, dated or undelivered ones."""
    undelivered, balance = dict(wallet["undelivered"]), wallet["balance"]
    activations = {one.lot: one for one in wallet["activations"]}
    expiries = {one.lot: one for one in wallet["expiries"]}
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
    return wallet | {
        "undelivered": undelivered,
        "activations": tuple(activations.values()),
        "expiries": tuple(expiries.values()),
        "balance": balance,
    }


# What time changes


def settle(wallet: WalletFields, now: int) -> WalletFields:
    """Return a wallet in which everything that is due by ``now`` is spendable."""
    activations, expiries = wallet["activations"], wallet["expiries"]
    if expiries and expiries[0].at <= now:
        wallet = wallet | {"expiries": tuple(one for one in expiries if one.points or one.at > now)}
    if not activations or activations[0].at > now:
        return wallet
    active = [one for one in activations if one.at <= now]
    new = [Expiry(one.expires_at, one.points, one.lot) for one in active if one.expires_at is not None]
    return wallet | {
        "balance": wallet["balance"] + sum(one.points for one in active),
        "activations": tuple(one for one in activations if one.at > now),
        "expiries": tuple(sorted((*wallet["expiries"], *new), key=due_order)) if new else wallet["expiries"],
    }


def next_record(expiries: Iterable[Expiry], holds: Mapping[str, Mapping[str, int]]) -> int | None:
    """Return the instant of the next change that will be an event: up to it, ``changes`` says all that time does."""
    ends = [one.at for one in expiries if one.points] + [hold["until"] for hold in holds.values()]
    return min(ends, default=None)


def derived_fields(wallet: WalletFields) -> WalletFields:
    """Return the fields that follow from the others."""
    balance = wallet["balance"]
    pending = sum([one.points for one in wallet["activations"]]) + sum(wallet["undelivered"].values())
    return {
        "points": max(0, balance),
        "debt": max(0, -balance),
        "pending": pending,
        "held": sum([hold["points"] for hold in wallet["holds"].values()]),
        "changes": next_changes(wallet, balance, pending),
    }


def next_changes(wallet: WalletFields, balance: int, pending: int) -> tuple[Change, ...]:
    """Return the next changes. Points that become spendable pay debt first; what that takes does not lapse."""
    events = [(one.at, 0, one.points, one.lot) for one in wallet["activations"] if one.points]
    events += [(one.at, 1, one.points, one.lot) for one in wallet["expiries"] if one.points]
    events += [(one.expires_at, 1, one.points, one.lot) for one in wallet["activations"] if one.points and one.expires_at]
    events += [(hold["until"], -1, hold["kept"], "") for hold in wallet["holds"].values()]
    listed: list[Change] = []
    paid: dict[str, int] = {}
    for at, lapses, points, lot in sorted(events, key=lambda event: (event[0], event[1], event[3])):
        if len(listed) == SHOWN and at != listed[-1].at:
            break
        if lapses < 0:
            balance += points
        elif lapses:
            balance -= points - paid.get(lot, 0)
        else:
            paid[lot] = min(points, max(0, -balance))
            balance, pending = balance + points, pending - points
        if listed and listed[-1].at == at:
            listed.pop()
        listed.append(Change(at, balance, pending))
    return tuple(listed)
