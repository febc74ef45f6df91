"""The snapshots with personal values that were written from a log."""

from __future__ import annotations

from typing import Any

from aggregates.personal_snapshot import PersonalSnapshotTaken, personal_snapshots
from infra.event_log.log import EventLog


def personal_snapshots_of(log: EventLog) -> list[PersonalSnapshotTaken]:
    """Return them in the order in which they were recorded."""
    events: Any = log.read(personal_snapshots.name)[0]
    return list(events)
