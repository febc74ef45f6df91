"""What must hold across streams, held: the rows that events need, in the append's own transaction."""

from __future__ import annotations

from collections.abc import Sequence

from aggregates.constraints import Allow, Claim, GiveBack, Guard, Use
from infra.event_log.append import Append
from infra.keys.ring import KeyRing


def hold(append: Append, keys: KeyRing, needed: Sequence[Guard]) -> None:
    """Raises the refusal of the first that cannot be had."""
    for guard in needed:
        match guard:
            case Claim():
                key = None if guard.key is None else keys.blind(guard.key)
                if not append.claim(guard.kind, key, guard.owner):
                    raise guard.taken
            case Allow():
                append.allow(guard.key, guard.limit)
            case GiveBack():
                append.give_back(guard.key)
            case Use():
                if not append.use(guard.key, limited=guard.exhausted is not None) and guard.exhausted:
                    raise guard.exhausted
