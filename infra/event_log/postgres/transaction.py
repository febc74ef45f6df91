"""One transaction in PostgreSQL, in pipeline mode: statements whose answer nobody waits for cost no round trip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from infra.event_log.columns import COLUMNS
from infra.event_log.transaction import Values
from infra.postgres.errors import faults_told

NOT_STORABLE, INSTEAD = "\0", "\ufffd"  # PostgreSQL's text has no NUL


@contextmanager
def transaction(connection: Connection[Any], where: str, *first: str) -> Iterator[PostgresTransaction]:
    """``first``: statements to begin with. Rolled back if anything fails; committed and acknowledged at the end."""
    entered = connection.pipeline()
    with faults_told(where):
        pipeline = entered.__enter__()
    try:
        opened = PostgresTransaction(connection, where)
        for statement in ("BEGIN", *first):
            opened.run(statement)
        yield opened
        opened.run("COMMIT")
        with faults_told(where):
            pipeline.sync()
    except BaseException:
        with suppress(psycopg.Error):
            entered.__exit__(None, None, None)
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")
        raise
    entered.__exit__(None, None, None)


class PostgresTransaction:
    def __init__(self, connection: Connection[Any], where: str) -> None:
        self._connection = connection
        self._where = where

    def run(self, statement: str, values: Values = ()) -> None:
        with faults_told(self._where):
            self._cursor().execute(marked(statement), values or None)

    def rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        with faults_told(self._where):
            return self._cursor().execute(marked(statement), values or None).fetchall()

    def among(self, statement: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
        return self.rows(statement.format(among="= ANY(?)"), ([value for value in values if storable(value)],))

    def insert(self, table: str, rows: Sequence[Values]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        kinds = COLUMNS[table]
        binary = all(None not in column for column in columns)
        if not binary:
            columns = [[stored(value) for value in column] for column in columns]
        parts = ",".join(f"%{'b' if binary else 't'}::{kind}[]" for kind in kinds)
        with faults_told(self._where):
            self._cursor().execute(f"INSERT INTO {table} SELECT * FROM unnest({parts})", columns)

    def _cursor(self) -> psycopg.Cursor[tuple[Any, ...]]:
        return self._connection.cursor(row_factory=tuple_row)


@cache
def marked(statement: str) -> Any:
    """With psycopg's marks for values."""
    return statement.replace("?", "%s")


def storable(value: object) -> bool:
    return not isinstance(value, str) or NOT_STORABLE not in value


def stored(value: object) -> object:
    return value.replace(NOT_STORABLE, INSTEAD) if isinstance(value, str) else value
