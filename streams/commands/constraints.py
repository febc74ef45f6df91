"""Enforcing what must hold across streams: the rows that events need, taken in the append's own transaction."""

from __future__ import annotations

from collections.abc import Sequence

from aggregates.constraints import ClaimKey, Constraint, LimitUses, ReturnUse, UseKey
from infra.event_log.append import Append
from infra.keys.ring import KeyRing


def enforce(append: Append, keys: KeyRing, constraints: Sequence[Constraint]) -> None:
    """Take the rows in order. Raises the ``Refusal`` of the first that cannot be had."""
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
            case UseKey(exhausted=exhausted):
                if not append.use(constraint.key, limited=exhausted is not None) and exhausted:
                    raise exhausted
