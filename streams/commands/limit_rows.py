"""Rebuilding the rows of limits and holds from the log: every event takes, counts and returns again what it did then."""

from __future__ import annotations

from dataclasses import dataclass

from aggregates.constraints import ClaimKey, constraints_of
from aggregates.decider import Refusal
from infra.event_log.append import LimitRows
from infra.event_log.log import EventLog
from infra.keys.ring import KeyRing
from streams.commands.constraints import enforce

CHUNK = 2000


@dataclass(frozen=True)
class RowDifference:
    """A row that was not as the log says. None: there was none, or there should be none. ``holder``: of a hold."""

    key: str
    holder: str | None
    was: tuple[int, ...] | None
    is_now: tuple[int, ...] | None


def rebuild(log: EventLog, keys: KeyRing) -> list[RowDifference]:
    """Write the rows anew, in one transaction while nobody else writes, and return those that had differed.

    Claims of e-mail addresses stay, as they cannot be had from the log once a member is erased.
    """
    with log.append() as append:
        before = append.limit_rows()
        append.drop_limit_rows()
        position = 0
        while chunk := log.recorded(position, CHUNK):
            for recorded in chunk:
                needed = [one for one in constraints_of(recorded.event) if not isinstance(one, ClaimKey)]
                try:
                    enforce(append, keys, needed)
                except Refusal:  # the rows have been damaged while it was stored: it has happened all the same
                    continue
            position = chunk[-1].position
        after = append.limit_rows()
    return differences(before, after)


def differences(before: LimitRows, after: LimitRows) -> list[RowDifference]:
    return [
        RowDifference(*name, before.get(name), after.get(name))
        for name in sorted({*before, *after}, key=str)
        if before.get(name) != after.get(name)
    ]
