"""Names that are made of a shop's own ids, and no longer than an id may be."""

from __future__ import annotations

from hashlib import blake2b

from aggregates.decider import LONGEST_ID

HASH = 16


def named(kind: str, told: str) -> str:
    """An id's name for something else; a hash stands for the end of one that would be too long.

    >>> named("m.", "42")
    'm.42'
    >>> len(named("m.", "4" * 200))
    200
    """
    name = kind + told
    if len(name) <= LONGEST_ID:
        return name
    return name[: LONGEST_ID - 2 * HASH] + blake2b(name.encode(), digest_size=HASH).hexdigest()
