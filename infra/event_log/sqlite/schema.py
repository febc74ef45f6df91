"""The SQLite tables: the library's recorder on a table of ours, whose rows can be neither changed nor removed."""

from __future__ import annotations

import sqlite3

from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from infra.errors import Misconfigured
from infra.event_log.statements import EVENTS

VERSION = 2
"""Of the tables: SQLite's ``user_version``, 0 in logs that are older than this number."""

TABLES = (
    f"""CREATE TABLE IF NOT EXISTS {EVENTS} (
        rowid INTEGER PRIMARY KEY,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        UNIQUE (originator_id, originator_version))""",
    f"""CREATE TRIGGER IF NOT EXISTS facts_are_not_changed BEFORE UPDATE ON {EVENTS}
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    f"""CREATE TRIGGER IF NOT EXISTS facts_are_not_removed BEFORE DELETE ON {EVENTS}
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TABLE IF NOT EXISTS outcomes (
        request TEXT PRIMARY KEY,
        accepted INTEGER NOT NULL,
        code TEXT NOT NULL,
        sentence TEXT NOT NULL,
        events INTEGER NOT NULL,
        position INTEGER NOT NULL,
        content BLOB) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS claims (kind TEXT, key TEXT, owner TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS claims_by_owner ON claims (kind, owner)",
    "CREATE TABLE IF NOT EXISTS limits (key TEXT PRIMARY KEY, used INTEGER NOT NULL, allowed INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS erasures (
        member TEXT PRIMARY KEY,
        position INTEGER NOT NULL,
        complete INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS relayed (
        topic TEXT PRIMARY KEY,
        topic_id TEXT NOT NULL,
        position INTEGER NOT NULL,
        ends TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS due (stream TEXT PRIMARY KEY, instant INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS due_by_instant ON due (instant, stream)",
    "CREATE TABLE IF NOT EXISTS indexed (name TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS shop (zone TEXT NOT NULL, currency TEXT NOT NULL, log TEXT NOT NULL)",
)


ADDED = (("outcomes", "content", "BLOB"),)
"""Columns that tables of older logs do not have yet."""


def complete(cursor: SQLiteCursor | sqlite3.Cursor) -> None:
    """Make the tables, and give those of an older log the columns they lack.

    Raises :class:`Misconfigured` for the tables of a later version of this program.
    """
    cursor.execute("PRAGMA user_version")
    found = int(cursor.fetchone()[0])
    if found > VERSION:
        raise Misconfigured(f"This log's tables are of version {found}, this program knows {VERSION}: upgrade Regulars.")
    for statement in TABLES:
        cursor.execute(statement)
    for table, column, kind in ADDED:
        cursor.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", (table, column))
        if cursor.fetchone() is None:
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    if found < VERSION:
        cursor.execute(f"PRAGMA user_version = {VERSION}")


class Recorder(SQLiteApplicationRecorder):
    """The library's recorder, so that its tools read our log; a position is the row's id, declared so that VACUUM keeps it."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore, EVENTS)
        self.insert_events_statement = (
            f"INSERT INTO {EVENTS} (originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        return list(TABLES)
