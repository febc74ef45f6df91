"""The end of an erasure: once every fold has passed it, what Redis held of the member leaves its append-only file as well."""

from __future__ import annotations

from infra.event_log.log import EventLog
from infra.redis.views import Views


def complete_erasures(log: EventLog, views: Views, position: int) -> None:
    """Complete the erasures up to a position that every fold has passed. A kill, or a busy Redis, leaves them to the next."""
    reached = [erased for erased in log.incomplete_erasures().values() if erased <= position]
    if reached and views.rewrite_file():
        log.erased_everywhere(max(reached))
