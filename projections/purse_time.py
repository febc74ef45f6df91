"""What time makes of a purse: activations that are due, and the next changes of its balance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from projections.purse import TOLD, Change, Expiry, Told, due


def settled(told: Told, now: int) -> Told:
    """With what has become due by ``now`` spendable."""
    activations, expiries = told["activations"], told["expiries"]
    if expiries and expiries[0].at <= now:
        told = told | {"expiries": tuple(one for one in expiries if one.points or one.at > now)}
    if not activations or activations[0].at > now:
        return told
    active = [one for one in activations if one.at <= now]
    new = [Expiry(one.expires_at, one.points, one.lot) for one in active if one.expires_at is not None]
    return told | {
        "balance": told["balance"] + sum(one.points for one in active),
        "activations": tuple(one for one in activations if one.at > now),
        "expiries": tuple(sorted((*told["expiries"], *new), key=due)) if new else told["expiries"],
    }


def next_record(expiries: Iterable[Expiry], holds: Mapping[str, Mapping[str, int]]) -> int | None:
    """The instant of what is recorded once it is due: until then, time alone makes nothing of this that is not told here."""
    ends = [one.at for one in expiries if one.points] + [hold["until"] for hold in holds.values()]
    return min(ends, default=None)


def summed(told: Told) -> Told:
    """With what follows from the rest."""
    balance = told["balance"]
    pending = sum([one.points for one in told["activations"]]) + sum(told["undelivered"].values())
    return told | {
        "points": max(0, balance),
        "debt": max(0, -balance),
        "pending": pending,
        "held": sum([hold["points"] for hold in told["holds"].values()]),
        "changes": changes(told, balance, pending),
    }


def changes(told: Told, balance: int, pending: int) -> tuple[Change, ...]:
    """The next ones. Points that become spendable pay what is owed first; what that takes does not lapse."""
    events = [(one.at, 0, one.points, one.lot, one.expires_at) for one in told["activations"] if one.points]
    events += [(one.at, 1, one.points, one.lot, None) for one in told["expiries"] if one.points]
    events += [(one.expires_at, 1, one.points, one.lot, None) for one in told["activations"] if one.points and one.expires_at]
    events += [(hold["until"], -1, hold["kept"], "", None) for hold in told["holds"].values()]
    told_changes: list[Change] = []
    paid: dict[str, int] = {}
    for at, lapses, points, lot, _ in sorted(events, key=lambda event: (event[0], event[1], event[3])):
        if len(told_changes) == TOLD and at != told_changes[-1].at:
            break
        if lapses < 0:
            balance += points
        elif lapses:
            balance -= points - paid.get(lot, 0)
        else:
            paid[lot] = min(points, max(0, -balance))
            balance, pending = balance + points, pending - points
        if told_changes and told_changes[-1].at == at:
            told_changes.pop()
        told_changes.append(Change(at, balance, pending))
    return tuple(told_changes)
