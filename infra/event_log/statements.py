"""The SQL that both databases share. ``?`` stands for a value, ``{position}`` for the name of that column."""

from __future__ import annotations

EVENTS = "stored_events"

HEAD = f"SELECT MAX({{position}}) FROM {EVENTS}"
READ_STREAM = f"""
    SELECT originator_version, topic, state FROM {EVENTS}
    WHERE originator_id = ? AND originator_version > ? ORDER BY originator_version"""
READ_STREAMS = f"""
    SELECT originator_id, topic, state FROM {EVENTS}
    WHERE originator_id {{among}} ORDER BY originator_id, originator_version"""
READ_LOG = f"""
    SELECT {{position}}, originator_id, originator_version, topic, state FROM {EVENTS}
    WHERE {{position}} > ? ORDER BY {{position}} LIMIT ?"""
READ_EVENTS = f"SELECT {{position}}, topic, state FROM {EVENTS} WHERE {{position}} > ? ORDER BY {{position}} LIMIT ?"
SIZES = f"SELECT LENGTH(state) FROM {EVENTS} WHERE {{position}} > ? ORDER BY {{position}} LIMIT ?"
LATEST_OF = f"""
    SELECT {{position}}, originator_id, originator_version, topic, state FROM {EVENTS}
    WHERE originator_id = ? ORDER BY originator_version DESC LIMIT ?"""
STREAMS = f"SELECT DISTINCT originator_id FROM {EVENTS} WHERE originator_id >= ? AND originator_id < ? ORDER BY originator_id"

OUTCOME = "SELECT * FROM outcomes WHERE request = ?"
OUTCOMES = "SELECT * FROM outcomes WHERE request {among}"
FORGET = "DELETE FROM outcomes WHERE request = ? AND NOT accepted"
REQUEST_AT = "SELECT * FROM outcomes WHERE position >= ? AND events > 0 ORDER BY position LIMIT 1"

ERASE = "INSERT INTO erasures VALUES (?, ?, FALSE) ON CONFLICT DO NOTHING"
ERASED = "SELECT member, position FROM erasures WHERE position > ?"
INCOMPLETE = "SELECT member, position FROM erasures WHERE NOT complete"
COMPLETE = "UPDATE erasures SET complete = TRUE WHERE position <= ?"

GIVE_UP = "DELETE FROM claims WHERE kind = ? AND owner = ?"
CLAIM = "INSERT INTO claims VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING owner"
ALLOW = "INSERT INTO limits VALUES (?, 0, ?) ON CONFLICT (key) DO UPDATE SET allowed = excluded.allowed"
COUNT_LEFT = """
    INSERT INTO limits VALUES (?, 0, ?) ON CONFLICT (key) DO UPDATE SET allowed =
    limits.used - (SELECT COALESCE(SUM(number), 0) FROM holds WHERE holds.key = limits.key) + excluded.allowed"""
ALLOW_MORE = "INSERT INTO limits VALUES (?, 0, ?) ON CONFLICT (key) DO UPDATE SET allowed = limits.allowed + excluded.allowed"
USED = "SELECT used < allowed FROM limits WHERE key = ?"
USE = "UPDATE limits SET used = used + 1 WHERE key = ?"
GIVE_BACK = "UPDATE limits SET used = used - ? WHERE key = ? AND used >= ?"
TAKE = "UPDATE limits SET used = used + ? WHERE key = ? AND used + ? <= allowed RETURNING used"
LEFT = """
    SELECT allowed - used + (SELECT COALESCE(SUM(number), 0) FROM holds WHERE holds.key = limits.key AND until <= ?)
    FROM limits WHERE key = ?"""
HOLD = "INSERT INTO holds VALUES (?, ?, ?, ?)"
DROP_HOLD = "DELETE FROM holds WHERE key = ? AND holder = ? RETURNING number"
DROP_LAPSED = "DELETE FROM holds WHERE key = ? AND until <= ? RETURNING number"

ALL_LIMITS = "SELECT key, used, allowed FROM limits"
ALL_HOLDS = "SELECT key, holder, number, until FROM holds"
DROP_LIMITS = "DELETE FROM limits"
DROP_HOLDS = "DELETE FROM holds"

DUE = "SELECT stream, instant FROM due WHERE instant <= ? ORDER BY instant, stream LIMIT ?"
DUE_FROM = "INSERT INTO due VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET instant = excluded.instant"
NOT_DUE = "DELETE FROM due WHERE stream = ?"
ALL_DUE = "SELECT stream, instant FROM due"
INDEXED = "INSERT INTO indexed VALUES (?) ON CONFLICT DO NOTHING"
IS_INDEXED = "SELECT 1 FROM indexed WHERE name = ?"

CLOCK = "SELECT position, latest, earliest FROM clock ORDER BY position"
NEW_CLOCK = "INSERT INTO clock VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

SHOP = "SELECT zone, currency, digits FROM shop"
NEW_SHOP = "INSERT INTO shop VALUES (?, ?, ?, ?)"
OTHER_SHOP = "UPDATE shop SET zone = ?, currency = ?, digits = ?"
IDENTITY = "SELECT log FROM shop"
