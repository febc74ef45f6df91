"""The tables of the log, in PostgreSQL and in SQLite. Stored events can be neither changed nor removed.

A released step of PostgreSQL's is never changed; a new version adds one.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from infra.errors import Misconfigured
from infra.event_log.statements import EVENTS
from infra.postgres.migrate import Tables

COLUMNS: dict[str, tuple[str, ...]] = {
    EVENTS: ("int8", "text", "int8", "text", "bytea"),  # position, stream, version, name, state
    "outcomes": ("text", "bool", "text", "text", "int8", "int8", "bytea"),
    "claims": ("text", "text", "text"),
    "limits": ("text", "int8", "int8"),
    "holds": ("text", "text", "int8", "int8"),
    "erasures": ("text", "int8", "bool"),
    "relayed": ("text", "text", "int8", "text"),
    "due": ("text", "int8"),
    "indexed": ("text",),
    "shop": ("text", "text", "text", "int8"),
}


def with_booleans(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row with real booleans, which SQLite stores as numbers."""
    return tuple(bool(value) if kind == "bool" else value for value, kind in zip(row, COLUMNS[table], strict=True))


CHANNEL = "regulars_events"

DIGITS_BEFORE = """CASE WHEN currency IN ('BHD', 'KWD', 'OMR', 'TND') THEN 3
    WHEN currency IN ('CLP', 'ISK', 'JPY', 'KRW', 'VND') THEN 0 ELSE 2 END"""
"""The decimals of a currency as logs had them that do not say: their stored integers keep their meaning."""

POSTGRES_1 = (
    f"""CREATE TABLE {EVENTS} (
        notification_id bigint NOT NULL,
        originator_id text COLLATE "C" NOT NULL,
        originator_version bigint NOT NULL,
        topic text NOT NULL,
        state bytea NOT NULL,
        PRIMARY KEY (originator_id, originator_version))""",
    f"CREATE UNIQUE INDEX {EVENTS}_notification_id_idx ON {EVENTS} (notification_id)",
    """CREATE FUNCTION facts_stay() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    f"""CREATE TRIGGER facts_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON {EVENTS}
        FOR EACH STATEMENT EXECUTE FUNCTION facts_stay()""",
    """CREATE TABLE outcomes (
        request text COLLATE "C" PRIMARY KEY,
        accepted boolean NOT NULL,
        code text NOT NULL,
        sentence text NOT NULL,
        events bigint NOT NULL,
        position bigint NOT NULL,
        content bytea)""",
    """CREATE TABLE claims (
        kind text COLLATE "C",
        key text COLLATE "C",
        owner text COLLATE "C" NOT NULL,
        PRIMARY KEY (kind, key))""",
    "CREATE INDEX claims_by_owner ON claims (kind, owner)",
    'CREATE TABLE limits (key text COLLATE "C" PRIMARY KEY, used bigint NOT NULL, allowed bigint NOT NULL)',
    'CREATE TABLE erasures (member text COLLATE "C" PRIMARY KEY, position bigint NOT NULL, complete boolean NOT NULL)',
    """CREATE TABLE relayed (
        topic text COLLATE "C" PRIMARY KEY,
        topic_id text NOT NULL,
        position bigint NOT NULL,
        ends text NOT NULL)""",
    "CREATE TABLE lease (name text PRIMARY KEY, owner text NOT NULL, until double precision NOT NULL)",
    "CREATE TABLE shop (zone text NOT NULL, currency text NOT NULL, log text NOT NULL)",
    "CREATE UNIQUE INDEX one_shop ON shop ((true))",
)

POSTGRES_2 = (
    'CREATE TABLE due (stream text COLLATE "C" PRIMARY KEY, instant bigint NOT NULL)',
    "CREATE INDEX due_by_instant ON due (instant, stream)",
    "CREATE TABLE indexed (name text PRIMARY KEY)",
)

POSTGRES_3 = (
    """CREATE TABLE holds (
        key text COLLATE "C",
        holder text COLLATE "C",
        number bigint NOT NULL,
        until bigint NOT NULL,
        PRIMARY KEY (key, holder))""",
    "ALTER TABLE shop ADD COLUMN digits bigint",
    f"UPDATE shop SET digits = {DIGITS_BEFORE}",
)

POSTGRES_4 = ("CREATE TABLE clock (position bigint PRIMARY KEY, latest bigint NOT NULL, earliest bigint NOT NULL)",)

LOG_TABLES = Tables("the log", "schema_version", (POSTGRES_1, POSTGRES_2, POSTGRES_3, POSTGRES_4))


SQLITE_VERSION = 3
"""Version of the tables: SQLite's ``user_version``, which is 0 in logs that are older than it."""

SQLITE_TABLES = (
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
    """CREATE TABLE IF NOT EXISTS holds (
        key TEXT NOT NULL,
        holder TEXT NOT NULL,
        number INTEGER NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (key, holder)) WITHOUT ROWID""",
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
    "CREATE TABLE IF NOT EXISTS clock (position INTEGER PRIMARY KEY, latest INTEGER NOT NULL, earliest INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS shop (zone TEXT NOT NULL, currency TEXT NOT NULL, log TEXT NOT NULL, digits INTEGER)",
)


ADDED_SQLITE_COLUMNS = (("outcomes", "content", "BLOB"), ("shop", "digits", "INTEGER"))
"""Columns that older logs lack."""


def create_sqlite_tables(cursor: SQLiteCursor | sqlite3.Cursor) -> None:
    """Create the tables, and add the columns that an older log lacks.

    Raises :class:`Misconfigured` if the tables are of a later version of this program.
    """
    cursor.execute("PRAGMA user_version")
    found = int(cursor.fetchone()[0])
    if found > SQLITE_VERSION:
        raise Misconfigured(f"This log's tables have version {found}, this program knows {SQLITE_VERSION}: upgrade Regulars.")
    for statement in SQLITE_TABLES:
        cursor.execute(statement)
    for table, column, kind in ADDED_SQLITE_COLUMNS:
        cursor.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", (table, column))
        if cursor.fetchone() is None:
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    if found < SQLITE_VERSION:
        cursor.execute(f"UPDATE shop SET digits = {DIGITS_BEFORE} WHERE digits IS NULL")
        cursor.execute(f"PRAGMA user_version = {SQLITE_VERSION}")


class SqliteRecorder(SQLiteApplicationRecorder):
    """The eventsourcing library's recorder on our table, so that its tools can read the log.

    A position is the row's id, declared as a column so that VACUUM keeps it.
    """

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore, EVENTS)
        self.insert_events_statement = (
            f"INSERT INTO {EVENTS} (originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        return list(SQLITE_TABLES)
