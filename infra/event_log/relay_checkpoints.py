"""How far each topic has been relayed, and which process may relay: one at a time, while its lease holds.

A checkpoint moves only if it has the value that the relay expects and the lease still holds. So a relay that was thought dead
and wakes up moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

import orjson

from infra.event_log.types import RelayCheckpoint, Transaction

Begin: TypeAlias = Callable[[], AbstractContextManager[Transaction]]

TAKE = """
    INSERT INTO lease VALUES ('relay', ?, {clock} + ?)
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
    WHERE lease.owner = excluded.owner OR lease.until <= {clock} RETURNING owner"""
RELEASE = "DELETE FROM lease WHERE name = 'relay' AND owner = ?"
READ = "SELECT topic, topic_id, position, ends FROM relayed"
HELD = "EXISTS (SELECT 1 FROM lease WHERE name = 'relay' AND owner = ? AND until > {clock}{lock})"
BEGIN = f"INSERT INTO relayed SELECT ?, ?, ?, ? WHERE {HELD} ON CONFLICT DO NOTHING RETURNING topic"
ADVANCE = f"""
    UPDATE relayed SET topic_id = ?, position = ?, ends = ?
    WHERE topic = ? AND topic_id = ? AND position = ? AND ends = ? AND {HELD} RETURNING topic"""


class RelayCheckpoints:
    """``clock``: SQL for the database's time in seconds. ``lock``: SQL that locks a row read until the commit."""

    def __init__(self, begin: Begin, clock: str, lock: str = "") -> None:
        self._begin = begin
        self._take, self._first, self._advance = (s.format(clock=clock, lock=lock) for s in (TAKE, BEGIN, ADVANCE))

    def relayed(self) -> dict[str, RelayCheckpoint]:
        with self._begin() as transaction:
            return {topic: from_columns(*rest) for topic, *rest in transaction.rows(READ)}

    def take_lease(self, owner: str, seconds: float) -> bool:
        with self._begin() as transaction:
            return bool(transaction.rows(self._take, (owner, seconds)))

    def release_lease(self, owner: str) -> None:
        with self._begin() as transaction:
            transaction.run(RELEASE, (owner,))

    def advance(self, owner: str, topic: str, before: RelayCheckpoint | None, after: RelayCheckpoint) -> bool:
        if before and before.topic_id == after.topic_id and after.position < before.position:
            return False
        with self._begin() as transaction:
            if before is None:
                return bool(transaction.rows(self._first, (topic, *to_columns(after), owner)))
            return bool(transaction.rows(self._advance, (*to_columns(after), topic, *to_columns(before), owner)))


def to_columns(entry: RelayCheckpoint) -> tuple[str, int, str]:
    return entry.topic_id, entry.position, orjson.dumps(entry.ends).decode()


def from_columns(topic_id: str, position: int, ends: str) -> RelayCheckpoint:
    return RelayCheckpoint(topic_id, position, tuple(orjson.loads(ends)))
