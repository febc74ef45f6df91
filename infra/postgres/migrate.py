"""Tables of a known version, created and changed in steps. Each step runs once, however many processes migrate."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from infra.errors import Misconfigured
from infra.postgres.connection import connect, redact_url, translate_postgres_errors

LOCK = int.from_bytes(b"migrate!")


@dataclass(frozen=True)
class Tables:
    """``versions``: the table that records the steps taken. ``steps``: lists of statements, never changed once released."""

    what: str
    versions: str
    steps: tuple[tuple[str, ...], ...]

    @property
    def version(self) -> int:
        return len(self.steps)


def migrate(url: str, tables: Tables) -> tuple[int, int]:
    """Run the missing steps, and return the version before and after.

    Raises :class:`Misconfigured` if the tables are of a later version of this program, or the database cannot hold them.
    """
    where = redact_url(url)
    with connect(url) as connection, translate_postgres_errors(where), connection.transaction():
        encoding = fetch_value(connection, "SELECT current_setting('server_encoding')")
        if encoding != "UTF8":
            raise Misconfigured(f"The database {where} is encoded in {encoding}: make one in UTF8.")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if schema := tables.versions.rpartition(".")[0]:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.execute(f"CREATE TABLE IF NOT EXISTS {tables.versions} (version int PRIMARY KEY, at timestamptz NOT NULL)")
        before = current_version(connection, tables, where)
        for number, step in enumerate(tables.steps[before:], before + 1):
            for statement in step:
                connection.execute(statement)
            connection.execute(f"INSERT INTO {tables.versions} VALUES (%s, clock_timestamp())", (number,))
    return before, tables.version


def require_tables(url: str, tables: Tables) -> None:
    """Raise :class:`Misconfigured` unless the tables exist and have this program's version."""
    where = redact_url(url)
    with connect(url) as connection, translate_postgres_errors(where):
        found = current_version(connection, tables, where)
    if found < tables.version:
        how = f"have version {found}, this program needs {tables.version}" if found else "do not exist yet"
        raise Misconfigured(f"The tables of {tables.what} at {where} {how}: run `regulars migrate`.")


def current_version(connection: psycopg.Connection[tuple[object, ...]], tables: Tables, where: str) -> int:
    """Return the version of the existing tables, 0 if there are none."""
    if fetch_value(connection, "SELECT to_regclass(%s)", tables.versions) is None:
        return 0
    found = int(str(fetch_value(connection, f"SELECT coalesce(max(version), 0) FROM {tables.versions}")))
    if found > tables.version:
        raise Misconfigured(
            f"The tables of {tables.what} at {where} have version {found}, this program knows {tables.version}: "
            "upgrade Regulars."
        )
    return found


def fetch_value(connection: psycopg.Connection[tuple[object, ...]], statement: str, *values: object) -> object:
    row = connection.execute(statement, values).fetchone()
    return row[0] if row else None
