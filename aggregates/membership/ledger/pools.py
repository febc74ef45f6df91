"""A household's pool: a ledger under a name of its own, that its members send points to and spend from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from aggregates.value import Value


class PoolJoined(Value):
    """``member`` is the pool. Who joined first is its ``owner``."""

    member: str
    joiner: str
    owner: str
    at: int


class PoolEntered(Value):
    """The same in the ledger of who joined."""

    member: str
    pool: str
    at: int


class PoolLeft(Value):
    """``member`` is the pool; what was sent to it stays there."""

    member: str
    leaver: str
    at: int


class PoolExited(Value):
    """The same in the ledger of who left."""

    member: str
    pool: str
    at: int


class PoolUsed(Value):
    """``member`` is the pool; ``use``: the redemption, hold or claim that one of its members, ``by``, asked for."""

    member: str
    by: str
    use: str
    at: int


Event: TypeAlias = PoolJoined | PoolEntered | PoolLeft | PoolExited | PoolUsed


@dataclass(frozen=True)
class Pool:
    owner: str
    members: frozenset[str]
