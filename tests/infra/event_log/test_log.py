from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aggregates.value import Value
from infra.codec import EventType
from infra.errors import Misconfigured
from infra.event_log.append import Append
from infra.event_log.log import EventLog
from infra.event_log.postgres import PostgresLog
from infra.event_log.sqlite import SqliteLog
from infra.event_log.types import Outcome, Shop
from tests.infra.ticks import Place, Ticked, open_log, tick, ticking


def numbers(log: EventLog, product: str) -> list[int]:
    events, version = log.read(f"product-{product}")
    assert version == len(events)
    return [event.number for event in events if isinstance(event, Ticked)]


CONFLICTS = (sqlite3.IntegrityError, psycopg.IntegrityError)


def by_hand(log: EventLog) -> Any:
    """A connection to the log's database, past the log."""
    return closing(sqlite3.connect(log.path) if isinstance(log, SqliteLog) else psycopg.connect(log.url, autocommit=True))  # type: ignore[attr-defined]


@pytest.mark.parametrize("statement", ["UPDATE stored_events SET topic = 'Other'", "DELETE FROM stored_events"])
def test_what_was_appended_can_be_neither_changed_nor_removed(log: EventLog, statement: str) -> None:
    tick(log, "a")
    with by_hand(log) as db, pytest.raises(CONFLICTS, match="append-only"):
        db.execute(statement)
    assert numbers(log, "a") == [1]


def test_the_eventsourcing_library_reads_our_rows(log: SqliteLog | PostgresLog) -> None:
    tick(log, "a", 2)
    tick(log, "b")
    found = log.recorder.select_notifications(start=1, limit=10, inclusive_of_start=False)
    assert [(row.id, row.originator_id, row.originator_version, row.topic) for row in found] == [
        (2, "product-a", 2, "Ticked"),
        (3, "product-b", 1, "Ticked"),
    ]
    assert [bytes(row.state) for row in found] == [row.state for row in log.since(1, 10)]
    assert log.recorder.max_notification_id() == log.head() == 3
    assert [row.originator_version for row in log.recorder.select_events("product-a")] == [1, 2]


def test_one_append_writes_several_streams_with_positions_in_order(log: EventLog) -> None:
    tick(log, "a")
    with log.append() as append:
        append.add("product-b", 1, Ticked("b", 1))
        append.add("product-a", 2, Ticked("a", 2))
        append.record(Outcome("r", True, "", "", 2, append.head))
    assert [(row.position, row.stream, row.version) for row in log.since(0, 10)] == [
        (1, "product-a", 1),
        (2, "product-b", 1),
        (3, "product-a", 2),
    ]
    outcome = log.outcome("r")
    assert outcome is not None
    assert (outcome.accepted, outcome.events, outcome.position) == (True, 2, 3)
    assert log.request_at(3) == log.request_at(2) == outcome
    assert log.request_at(1) is None
    assert log.streams_between("product-") == ["product-a", "product-b"]
    assert [row.version for row in log.rows_of("product-a", 1)] == [2]


def fail_in_the_middle(log: EventLog) -> None:
    with log.append() as append:
        append.add("product-a", 1, Ticked("a", 1))
        append.record(Outcome("r", True, "", "", 1, append.head))
        assert append.claim("email", "e", "a")
        append.allow("k", 1)
        raise RuntimeError("the power is gone")


def test_an_append_that_fails_leaves_nothing(log: EventLog) -> None:
    with pytest.raises(RuntimeError, match="power"):
        fail_in_the_middle(log)
    assert (log.head(), log.since(0, 10), log.outcome("r")) == (0, [], None)
    with log.append() as append:
        assert append.claim("email", "e", "b")
        assert append.use("k"), "no limit was set"
        assert append.use("k")
    tick(log, "a")
    assert numbers(log, "a") == [1]


def add_first_ticks(log: EventLog, *products: str) -> None:
    with log.append() as append:
        for product in products:
            append.add(f"product-{product}", 1, Ticked(product, 1))


def test_two_events_cannot_have_one_version(log: EventLog) -> None:
    tick(log, "a")
    with pytest.raises(CONFLICTS):
        add_first_ticks(log, "b", "a")
    assert log.head() == 1
    assert numbers(log, "b") == []


def take_all_and_fail(append: Append) -> None:
    with append.savepoint(guarded=True):
        assert append.use("k")
        assert not append.use("k")
        assert append.claim("email", "e", "a")
        raise RuntimeError


def test_guarded_rows_taken_inside_a_savepoint_are_given_back_if_it_fails(log: EventLog) -> None:
    with log.append() as append:
        append.allow("k", 1)
        with pytest.raises(RuntimeError):
            take_all_and_fail(append)
        assert append.use("k")
        assert append.claim("email", "e", "b")
        assert not append.claim("email", "e", "a")


def test_what_was_appended_is_there_after_reopening(log: EventLog, place: Place) -> None:
    tick(log, "a", 3)
    with open_log(place) as again:
        assert numbers(again, "a") == [1, 2, 3]
        tick(again, "a")
    assert numbers(log, "a") == [1, 2, 3, 4]


def test_racing_processes_land_every_increment_once(log: EventLog, place: Place) -> None:
    others = [ticking(place, "a", appends=100) for _ in range(2)]
    for _ in range(100):
        tick(log, "a")
    assert [other.wait(600) for other in others] == [0, 0]
    assert numbers(log, "a") == list(range(1, 301))
    assert [row.position for row in log.since(0, 1000)] == list(range(1, 301))


def changed(log: EventLog) -> bool:
    with log.append():
        return log.changed_elsewhere()


def test_a_log_tells_whether_somebody_else_has_written(log: EventLog, place: Place) -> None:
    changed(log)
    tick(log, "a")
    assert not changed(log), "one's own writes do not count"
    assert ticking(place, "a", 1).wait(600) == 0
    assert changed(log)
    assert not changed(log), "it was told"


def test_a_log_belongs_to_the_shop_that_opened_it_first(log: EventLog) -> None:
    first = Shop("America/New_York", "USD", 2)
    assert log.shop(first, chosen=False) == first
    tick(log, "a")
    assert log.shop(Shop("UTC", "EUR"), chosen=False) == first
    assert log.shop(first, chosen=True) == first
    with pytest.raises(Misconfigured, match="shop in America/New_York that sells in USD, not to one in UTC that sells in EUR"):
        log.shop(Shop("UTC", "EUR"), chosen=True)


def test_the_shop_of_an_empty_log_may_still_be_chosen_anew(log: EventLog) -> None:
    first, other = Shop("America/New_York", "USD"), Shop("UTC", "EUR")
    log.shop(first, chosen=False)
    name = log.identity()
    assert log.shop(other, chosen=False) == replace(first, digits=2), "a default chooses nothing"
    assert log.shop(other, chosen=True) == replace(other, digits=2)
    assert log.shop(first, chosen=False) == replace(other, digits=2)
    assert log.identity() == name


def test_a_log_has_a_name_of_its_own_for_ever(log: EventLog, place: Place, tmp_path: Path) -> None:
    shop = Shop("UTC", "EUR")
    log.shop(shop, chosen=False)
    with open_log(place) as again:
        again.shop(shop, chosen=False)
        assert again.identity() == log.identity()
    (tmp_path / "other").mkdir()
    with open_log(tmp_path / "other") as other:
        other.shop(shop, chosen=False)
        assert other.identity() != log.identity()


def test_a_use_that_happened_counts_past_the_limit(log: EventLog) -> None:
    with log.append() as append:
        append.allow("k", 1)
        assert append.use("k")
        assert append.use("k", limited=False)
        append.allow("k", 2)
        assert not append.use("k"), "both were counted"


class Forgotten(Value):
    member: str


def forget(log: EventLog, *members: str) -> None:
    with log.append() as append:
        for member in members:
            append.add(f"member-{member}", append.read([f"member-{member}"])[f"member-{member}"][1] + 1, Forgotten(member))


def test_an_erased_member_is_remembered_and_the_erasure_until_it_is_complete(place: Place) -> None:
    with open_log(place, EventType(Forgotten, erases=True)) as log:
        assert (log.erased(), log.incomplete_erasures()) == ({}, {})
        forget(log, "ada", "bob")
        forget(log, "eve")
        forget(log, "ada")
        erased = {"ada": 1, "bob": 2, "eve": 3}
        assert log.erased() == log.incomplete_erasures() == erased
        log.erased_everywhere(2)
        assert (log.erased(), log.incomplete_erasures()) == (erased, {"eve": 3})
    with open_log(place, EventType(Forgotten, erases=True)) as log:
        log.erased_everywhere(4)
        assert (log.erased(), log.incomplete_erasures()) == (erased, {})


def test_there_is_nothing_behind_the_latest_version_of_a_stream(log: EventLog) -> None:
    tick(log, "a", 2)
    assert log.read("product-a", after=1) == ([Ticked("a", 2)], 2)
    assert log.read("product-a", after=2) == ([], 2)
    assert log.read("product-nobody") == ([], 0)


def test_events_are_read_in_chunks_of_so_many_bytes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_log(place) as log:
        for n in range(20):
            tick(log, f"{n}-{'x' * 90}")
        size = len(log.since(0, 1)[0].state)
    monkeypatch.setattr("infra.event_log.log.CHUNK_BYTES", 5 * size)
    with open_log(place) as log:
        position, chunks = 0, []
        while chunk := log.recorded(position, 9):
            chunks.append(len(chunk))
            position = chunk[-1].position
        assert sum(chunks) == log.head() == 20
        assert max(chunks) <= 5
        tick(log, "long" * 9999)
        assert [found.position for found in log.recorded(20, 9)] == [21], "one that is larger comes alone"
