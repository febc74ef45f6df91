"""Appending to PostgreSQL, over a plain insert of the same bytes by psycopg, in the same server at the same durability."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from infra.codec import Codec
from infra.embedded.postgres import EmbeddedPostgres
from infra.event_log.postgres import PostgresLog
from infra.event_log.schema import LOG_TABLES, POSTGRES_1
from infra.event_log.types import Outcome
from infra.keys.ring import KeyRing
from infra.keys.stores import KEY_TABLES, PostgresKeys
from infra.postgres.migrate import migrate
from streams.registry import EVENTS
from tests.bench.appending import EVENTS_EACH, REQUESTS, item
from tests.bench.comparing import Compared, compare
from tests.packaged import forget

ONE = "INSERT INTO bare.stored_events VALUES (%s, %s, %s, %s, %s)"
MANY = "INSERT INTO bare.stored_events SELECT * FROM unnest(%b::int8[], %b::text[], %b::int8[], %b::text[], %b::bytea[])"
SINGLES = 100


def append_to_postgres(folder: Path) -> list[Compared]:
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    try:
        with opened(server.url) as (log, bare):
            return [one_by_one(log, bare), in_groups(log, bare)]
    finally:
        server.stop()
        forget(server)


@contextmanager
def opened(url: str) -> Iterator[tuple[PostgresLog, psycopg.Connection[Any]]]:
    """Our log, and a connection to the same table in a schema of its own."""
    for tables in (LOG_TABLES, KEY_TABLES):
        migrate(url, tables)
    with closing(KeyRing(PostgresKeys(url))) as keys, psycopg.connect(url, autocommit=True) as bare:
        bare.execute("CREATE SCHEMA bare")
        bare.execute("SET search_path = bare")
        for statement in POSTGRES_1:
            bare.execute(statement)
        with closing(PostgresLog(url, Codec(EVENTS.values(), keys))) as log:
            yield log, bare


def one_by_one(log: PostgresLog, bare: psycopg.Connection[Any]) -> Compared:
    def insert(turn: int) -> None:
        for number in range(SINGLES):
            name, state = log.codec.encode(item(number))
            bare.execute(ONE, (turn * SINGLES + number, f"one-{turn}-{number}", 1, name, state))

    def append(turn: int) -> None:
        for number in range(SINGLES):
            with log.append() as one:
                one.add(f"one-{turn}-{number}", 1, item(number))

    return compare("PostgreSQL: append one event", "encode, INSERT", "event", "-", insert, append, SINGLES)


def in_groups(log: PostgresLog, bare: psycopg.Connection[Any]) -> Compared:
    """As with SQLite; the floor inserts all rows with one statement."""
    events = [item(number) for number in range(EVENTS_EACH)]
    encoded = [log.codec.encode(event) for event in events]
    size = REQUESTS * EVENTS_EACH

    def insert(turn: int) -> None:
        streams = [(f"many-{turn}-{request}", version) for request in range(REQUESTS) for version in range(1, EVENTS_EACH + 1)]
        rows = [(streams[n][0], streams[n][1], *encoded[n % EVENTS_EACH]) for n in range(size)]
        first = 10**6 + turn * size
        bare.execute(MANY, [list(range(first, first + size)), *map(list, zip(*rows, strict=True))])

    def append(turn: int) -> None:
        with log.append() as group:
            for request in range(REQUESTS):
                for version, event in enumerate(events, 1):
                    group.add(f"many-{turn}-{request}", version, event)
                group.record(Outcome(f"{turn}/{request}", True, "", "", EVENTS_EACH, group.head))

    what = f"PostgreSQL: append {REQUESTS} requests × {EVENTS_EACH} events"
    return compare(what, "INSERT of the same bytes", "event", "≤ 1.5", insert, append, size, rounds=41)
