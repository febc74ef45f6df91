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

    Return whether every use was within its limit; one that may not be refused counts beyond it.
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
            case ConfirmHold(key=key, holder=holder, number=number):
                if not append.confirm(key, holder, number, constraint.at):
                    raise constraint.exhausted
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
    return within
