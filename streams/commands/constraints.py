"""Enforcing what must hold across streams: the rows that events need, taken in the append's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from aggregates.constraints import (
    ClaimKey,
    ConfirmHold,
    Constraint,
    CountUses,
    DropHold,
    HoldUses,
    LimitUses,
    ReturnUse,
    ReturnUses,
    UseKey,
    over_limit,
)
from infra.event_log.append import Append
from infra.keys.ring import KeyRing
from streams.commands.execution import Execution


def enforce_all(append: Append, keys: KeyRing, work: Execution, needed: Sequence[Sequence[Constraint]]) -> None:
    """Take the rows that the events of a request need, and correct the events that found no room.

    ``needed``: the constraints of each event. Raises the ``Refusal`` of the first row that cannot be had.
    """
    lost = [enforce(append, keys, constraints) for constraints in needed]
    if any(lost):
        flagged = zip(work.events, lost, strict=True)
        work.correct([over_limit(event, found) if found else event for (*_, event), found in flagged])


def enforce(append: Append, keys: KeyRing, constraints: Sequence[Constraint]) -> frozenset[str]:
    """Take the rows in order. Raises the ``Refusal`` of the first that cannot be had.

    Return the keys of the rows that had no room for what has happened: a use counts beyond its limit, a hold that was lost does
    not count.
    """
    lost = set()
    for constraint in constraints:
        match constraint:
            case ClaimKey():
                key = None if constraint.key is None else keys.blind(constraint.key)
                if not append.claim(constraint.kind, key, constraint.owner):
                    raise constraint.taken
            case HoldUses(key=key, holder=holder, number=number):
                if not append.hold(key, holder, number, constraint.until, constraint.at):
                    raise constraint.exhausted
            case UseKey(exhausted=exhausted):
                if not append.use(constraint.key, limited=True):
                    if exhausted:
                        raise exhausted
                    append.use(constraint.key, limited=False)
                    lost.add(constraint.key)
            case ConfirmHold(alone=True):
                lost |= confirm_all(append, [constraint])
            case ConfirmHold():
                pass  # together, below
            case _:
                count(append, constraint)
    return frozenset(lost) | confirm_all(append, [one for one in constraints if isinstance(one, ConfirmHold) and not one.alone])


def count(append: Append, constraint: LimitUses | CountUses | ReturnUse | DropHold | ReturnUses) -> None:
    """Change a row in a way that nothing forbids."""
    match constraint:
        case LimitUses():
            append.allow(constraint.key, constraint.limit)
        case CountUses(more=True):
            append.add_uses(constraint.key, constraint.number)
        case CountUses():
            append.count_uses(constraint.key, constraint.number)
        case ReturnUse():
            append.give_back(constraint.key)
        case DropHold():
            append.release(constraint.key, constraint.holder)
        case ReturnUses():
            append.give_back(constraint.key, constraint.number)
        case _:
            assert_never(constraint)


def confirm_all(append: Append, holds: Sequence[ConfirmHold]) -> frozenset[str]:
    """Turn what an event held into uses: all of it, or nothing if one does not fit any more. Return the key of that one."""
    for number, hold in enumerate(holds):
        if append.confirm(hold.key, hold.holder, hold.number, hold.at):
            continue
        for done in holds[:number]:
            append.give_back(done.key, done.number)
        for other in holds[number:]:
            append.release(other.key, other.holder)
        return frozenset((hold.key,))
    return frozenset()
