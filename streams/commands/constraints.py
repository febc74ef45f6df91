"""Enforcing what must hold across streams: the rows that events need, taken in the append's own transaction."""

from __future__ import annotations

from collections.abc import Sequence

from aggregates.constraints import (
    ClaimKey,
    ConfirmHold,
    Constraint,
    DropHold,
    HoldUses,
    LimitUses,
    ReturnUse,
    ReturnUses,
    UseKey,
)
from infra.event_log.append import Append
from infra.keys.ring import KeyRing


def enforce(append: Append, keys: KeyRing, constraints: Sequence[Constraint]) -> bool:
    """Take the rows in order. Raises the ``Refusal`` of the first that cannot be had.

    Return whether every use was within its limit. One that happened counts beyond it; a hold that was lost does not count.
    """
    within = True
    for constraint in constraints:
        match constraint:
            case ClaimKey():
                key = None if constraint.key is None else keys.blind(constraint.key)
                if not append.claim(constraint.kind, key, constraint.owner):
                    raise constraint.taken
            case LimitUses():
                append.allow(constraint.key, constraint.limit)
            case ReturnUse():
                append.give_back(constraint.key)
            case HoldUses(key=key, holder=holder, number=number):
                if not append.hold(key, holder, number, constraint.until, constraint.at):
                    raise constraint.exhausted
            case ConfirmHold():
                pass  # together, below
            case DropHold():
                append.release(constraint.key, constraint.holder)
            case ReturnUses():
                append.give_back(constraint.key, constraint.number)
            case UseKey(exhausted=exhausted):
                if not append.use(constraint.key, limited=True):
                    if exhausted:
                        raise exhausted
                    append.use(constraint.key, limited=False)
                    within = False
    return confirm_all(append, [one for one in constraints if isinstance(one, ConfirmHold)]) and within


def confirm_all(append: Append, holds: Sequence[ConfirmHold]) -> bool:
    """Turn what an event held into uses: all of it, or if one does not fit any more, nothing of it. Return which it was."""
    for number, hold in enumerate(holds):
        if append.confirm(hold.key, hold.holder, hold.number, hold.at):
            continue
        for done in holds[:number]:
            append.give_back(done.key, done.number)
        for other in holds[number:]:
            append.release(other.key, other.holder)
        return False
    return True
