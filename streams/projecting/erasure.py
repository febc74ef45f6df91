"""The end of an erasure: once every fold has passed it, what Redis held of the member leaves its append-only file as well."""

from __future__ import annotations

from infra.event_log.log import EventLog
from infra.redis.views import Views


def complete_erasures(log: EventLog, views: Views, position: int) -> None:
    """Complete the erasures that every fold has passed, at this position. A kill, or a busy Redis, leaves them to the next.

    What the member's sessions did is forgotten by the event behind the erasure, if there is one.
    """
    at_head = position >= log.head()
    reached = [erased for erased in log.incomplete_erasures().values() if erased < position or at_head]
    if reached and views.rewrite_file():
        log.erased_everywhere(max(reached))
