"""Tables of a known version: made and changed in steps, each once, whoever runs them and however many at once."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from infra.errors import Misconfigured
from infra.postgres.address import connect, shown
from infra.postgres.errors import faults_told

LOCK = int.from_bytes(b"migrate!")


@dataclass(frozen=True)
class Tables:
    """``versions``: the table that keeps the number of steps taken. ``steps``: statements, in order, for ever."""

    what: str
    versions: str
    steps: tuple[tuple[str, ...], ...]

    @property
    def version(self) -> int:
        return len(self.steps)


def migrate(url: str, tables: Tables) -> tuple[int, int]:
    """Take the steps that are lacking; return the version before and after.

    Raises :class:`Misconfigured` if the tables are of a later version of this program, or the database cannot hold them.
    """
    where = shown(url)
    with connect(url) as connection, faults_told(where), connection.transaction():
        encoding = one(connection, "SELECT current_setting('server_encoding')")
        if encoding != "UTF8":
            raise Misconfigured(f"The database {where} is encoded in {encoding}: make one in UTF8.")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if schema := tables.versions.rpartition(".")[0]:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.execute(f"CREATE TABLE IF NOT EXISTS {tables.versions} (version int PRIMARY KEY, at timestamptz NOT NULL)")
        before = known(connection, tables, where)
        for number, step in enumerate(tables.steps[before:], before + 1):
            for statement in step:
                connection.execute(statement)
            connection.execute(f"INSERT INTO {tables.versions} VALUES (%s, clock_timestamp())", (number,))
    return before, tables.version


def require(url: str, tables: Tables) -> None:
    """Raises :class:`Misconfigured` unless the tables are there and of this program's version."""
    where = shown(url)
    with connect(url) as connection, faults_told(where):
        found = known(connection, tables, where)
    if found < tables.version:
        how = f"are of version {found}, this program needs {tables.version}" if found else "are not there yet"
        raise Misconfigured(f"The tables of {tables.what} at {where} {how}: run `regulars migrate`.")


def known(connection: psycopg.Connection[tuple[object, ...]], tables: Tables, where: str) -> int:
    """The version of the tables that are there, 0 if there are none."""
    if one(connection, "SELECT to_regclass(%s)", tables.versions) is None:
        return 0
    found = int(str(one(connection, f"SELECT coalesce(max(version), 0) FROM {tables.versions}")))
    if found > tables.version:
        raise Misconfigured(
            f"The tables of {tables.what} at {where} are of version {found}, this program knows {tables.version}: "
            "upgrade Regulars."
        )
    return found


def one(connection: psycopg.Connection[tuple[object, ...]], statement: str, *values: object) -> object:
    row = connection.execute(statement, values).fetchone()
    return row[0] if row else None
