"""What the SQLite log asks of its tables."""

from __future__ import annotations

from infra.event_log.schema import EVENTS

READ_STREAM = f"""
    SELECT originator_version, topic, state FROM {EVENTS}
    WHERE originator_id = ? AND originator_version > ? ORDER BY originator_version"""
READ_LOG = f"""
    SELECT rowid, originator_id, originator_version, topic, state FROM {EVENTS}
    WHERE rowid > ? ORDER BY rowid LIMIT ?"""
READ_EVENTS = f"SELECT rowid, topic, state FROM {EVENTS} WHERE rowid > ? ORDER BY rowid LIMIT ?"
LATEST_OF = f"SELECT * FROM {EVENTS} WHERE originator_id = ? ORDER BY originator_version DESC LIMIT ?"
STREAMS = f"SELECT DISTINCT originator_id FROM {EVENTS} WHERE originator_id >= ? AND originator_id < ?"
OUTCOME = "SELECT * FROM outcomes WHERE request = ?"
REQUEST_AT = "SELECT * FROM outcomes WHERE position >= ? AND events > 0 ORDER BY position LIMIT 1"
