"""Appending, over a plain insert of the same bytes into the same table at the same durability."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from aggregates.cart_events import (
    CartItemAdded,
)
from infra.codec import Codec
from infra.event_log.schema import SQLITE_TABLES
from infra.event_log.sqlite import SqliteLog
from infra.event_log.types import Outcome
from infra.keys.ring import KeyRing
from infra.keys.stores import SqliteKeys
from streams.registry import EVENTS
from tests.bench.comparing import Compared, compare

INSERT = "INSERT INTO stored_events VALUES (?,?,?,?,?)"
REQUESTS, EVENTS_EACH = 64, 16


def append_one_by_one(folder: Path) -> Compared:
    log, bare = open_both(folder / "one")
    singles = 200

    def insert(turn: int) -> None:
        for number in range(singles):
            name, state = log.codec.encode(item(number))
            bare.execute("BEGIN IMMEDIATE")
            bare.execute(INSERT, (None, f"cart-{turn}-{number}", 1, name, state))
            bare.execute("COMMIT")

    def append(turn: int) -> None:
        for number in range(singles):
            with log.append() as one:
                one.add(f"cart-{turn}-{number}", 1, item(number))

    return compare("append one event", "encode, INSERT, COMMIT", "event", "-", insert, append, singles)


def append_in_groups(folder: Path) -> Compared:
    """A group as the import makes it: 64 requests of 16 events. The floor has the bytes at hand; ours encodes them."""
    log, bare = open_both(folder / "group")
    events = [item(number) for number in range(EVENTS_EACH)]
    encoded = [log.codec.encode(event) for event in events]

    def insert(turn: int) -> None:
        rows = [
            (None, f"cart-{turn}-{request}", version, name, state)
            for request in range(REQUESTS)
            for version, (name, state) in enumerate(encoded, 1)
        ]
        bare.execute("BEGIN IMMEDIATE")
        bare.executemany(INSERT, rows)
        bare.execute("COMMIT")

    def append(turn: int) -> None:
        with log.append() as group:
            for request in range(REQUESTS):
                stream = f"cart-{turn}-{request}"
                for version, event in enumerate(events, 1):
                    group.add(stream, version, event)
                group.record(Outcome(f"{turn}/{request}", True, "", "", EVENTS_EACH, group.head))

    return compare(
        f"append {REQUESTS} requests × {EVENTS_EACH} events",
        "INSERT of the same bytes, COMMIT",
        "event",
        "≤ 1.5",
        insert,
        append,
        REQUESTS * EVENTS_EACH,
        rounds=41,
    )


def open_both(folder: Path) -> tuple[SqliteLog, sqlite3.Connection]:
    folder.mkdir()
    log = SqliteLog(folder / "events.db", Codec(EVENTS.values(), KeyRing(SqliteKeys(folder / "keys.db"))))
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    for statement in SQLITE_TABLES:
        bare.execute(statement)
    return log, bare


def item(number: int) -> CartItemAdded:
    return CartItemAdded(
        cart="31198570044",
        member="900",
        session=None,
        product=str(1_000_000 + number),
        quantity=1,
        price=199,
        at=1_483_271_606_000 + number,
    )
