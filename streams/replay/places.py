"""Which position of the log an instant means: the one before the first event that is dated later."""

from __future__ import annotations

from dataclasses import dataclass

from infra.event_log.log import EventLog
from infra.settings import CHUNK


@dataclass(frozen=True)
class Place:
    """``position``: of the last event that counts. ``late``: events behind it that are dated at or before the instant."""

    position: int
    late: int


def place_of(log: EventLog, at: int) -> Place:
    """Return the place in the log up to which the shop's clock had not passed ``at``; the head if it never did.

    Facts that were told late do not change it, so a past answer stays as it was.
    """
    found: int | None = None
    position = late = 0
    while chunk := log.recorded(position, CHUNK):
        for recorded in chunk:
            later = recorded.event.at > at  # type: ignore[attr-defined]
            if found is None and later:
                found = recorded.position - 1
            late += found is not None and not later
        position = chunk[-1].position
    return Place(position if found is None else found, late)
