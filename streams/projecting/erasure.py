"""The end of an erasure: what Redis held of a member leaves its own file as well, once every fold has come so far."""

from __future__ import annotations

from infra.event_log.log import EventLog
from infra.redis.views import Views


def complete_erasures(log: EventLog, views: Views, position: int) -> None:
    """Complete those that every fold has seen at this position; a kill, or a busy Redis, leaves it to the next time."""
    reached = [erased for erased in log.incomplete_erasures().values() if erased <= position]
    if reached and views.rewrite_file():
        log.erased_everywhere(max(reached))
