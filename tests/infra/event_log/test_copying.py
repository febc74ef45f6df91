"""A log copied into another database, and back: the same facts, the same answers, the same read models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result

from aggregates.campaign import LaunchCampaign
from aggregates.member import RegisterMember
from aggregates.value import replace
from infra.errors import Fault
from infra.event_log.types import RelayCheckpoint
from infra.redis.digest import digests
from infra.settings import Settings
from streams.cli.main import regulars
from streams.commands.request import Request
from streams.registry import fold_of_part
from streams.running.app import open_log, running
from tests.shop import MEMBERS, START, requests

ASKED = list(requests(shoppings=60))


def copied(source: object, target: object) -> Result:
    return CliRunner().invoke(regulars, ["log", "copy", str(source), str(target)])


def told(settings: Settings, client: redis.Redis) -> object:
    """All that a log says: rows, answers, erasures, keys, and the read models that come of it."""
    client.flushall()
    with running(settings) as app:
        app.follower().catch_up()
        return (
            app.log.since(0, 10**6),
            [app.handler.handle(replace(request)) for request in ASKED],
            app.log.erased(),
            app.log.relayed(),
            app.log.identity(),
            app.log.read(f"member-{MEMBERS[-1]}"),
            digests(app.views, fold_of_part(app.terms)),
        )


@pytest.fixture
def full(settings: Settings) -> Settings:
    """A log in SQLite with something in every table."""
    with running(settings) as app:
        app.handler.handle_all([*ASKED, Request("launch", (LaunchCampaign("c-2", START, limit=3),))])
        app.follower().catch_up()
        assert app.log.take_lease("relay", 60)
        assert app.log.advance("relay", "events", None, RelayCheckpoint("t", 10, (4, 6)))
    return settings


@pytest.fixture
def in_postgres(settings: Settings, database: str) -> Settings:
    return replace(settings, database_url=database)


def test_a_log_goes_to_postgresql_and_back_and_says_the_same(
    full: Settings, in_postgres: Settings, tmp_path: Path, client: redis.Redis
) -> None:
    before = told(full, client)
    done = copied(full.home, in_postgres.database_url)
    assert done.exit_code == 0, done.output
    assert told(in_postgres, client) == before
    back = replace(full, home=tmp_path / "back")
    assert copied(in_postgres.database_url, back.home).exit_code == 0
    assert told(back, client) == before
    assert sorted(path.name for path in back.home.iterdir()) == ["events.db", "keys.db"]
    with open_log(in_postgres) as (log, _):
        assert f"{log.head():,}" in done.output


def test_what_was_copied_goes_on(full: Settings, in_postgres: Settings, client: redis.Redis) -> None:
    copied(full.home, in_postgres.database_url)
    with running(in_postgres) as app:
        head = app.log.head()
        outcome = app.handler.handle(Request("new", (RegisterMember("new", START, "Nora"),)))
        assert (outcome.accepted, outcome.position) == (True, head + 1)
        assert app.handler.handle(Request("taken", (RegisterMember("x", START, email=f"{MEMBERS[-1]}@example.org"),))).code


def test_a_log_that_is_not_empty_is_not_copied_over(full: Settings, in_postgres: Settings) -> None:
    with open_log(full) as (log, _):
        head = log.head()
    assert copied(full.home, in_postgres.database_url).exit_code == 0
    for source, target in ((full.home, in_postgres.database_url), (in_postgres.database_url, full.home)):
        refused = copied(source, target)
        assert isinstance(refused.exception, Fault)
        assert "is not empty" in str(refused.exception)
    for settings in (full, in_postgres):
        with open_log(settings) as (log, _):
            assert log.head() == head


def test_a_log_that_is_not_there_is_not_copied(tmp_path: Path, database: str) -> None:
    refused = copied(tmp_path / "nowhere", database)
    assert "does not exist" in str(refused.exception)
    assert not (tmp_path / "nowhere").exists()


def test_the_keys_of_another_log_are_not_replaced(full: Settings, in_postgres: Settings, tmp_path: Path) -> None:
    with open_log(in_postgres) as (_, keys):
        keys.seal("somebody", "", b"else")
    assert "keys of another log" in str(copied(full.home, in_postgres.database_url).exception)
    with open_log(in_postgres) as (log, _):
        assert log.head() == 0, "nothing was copied"
    home = tmp_path / "home-2"
    home.mkdir()
    with open_log(Settings(home)) as (_, keys):
        keys.seal("somebody", "", b"else")
    assert "keys of another log" in str(copied(full.home, home).exception)


SLOWLY = """
import sys, time
from infra.event_log import copying
from streams.cli.main import regulars

def dawdling(rows, copied, table, total, progress):
    for row in rows:
        yield row
        copied[table] = copied.get(table, 0) + 1
        if table == sys.argv[3] and copied[table] == 1:
            print("begun", flush=True)
            time.sleep(600)

copying.count_rows = dawdling
regulars(["log", "copy", sys.argv[1], sys.argv[2]])
"""


@pytest.mark.parametrize("table", ["stored_events", "keys"])
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_copy_that_was_killed_leaves_an_empty_log_and_is_begun_again(
    full: Settings, in_postgres: Settings, tmp_path: Path, client: redis.Redis, kind: str, table: str
) -> None:
    before = told(full, client)
    target = replace(full, home=tmp_path / "target") if kind == "sqlite" else in_postgres
    place = str(target.database_url or target.home)
    command = [sys.executable, "-c", SLOWLY, str(full.home), place, table]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"begun\n"
        process.kill()
    assert copied(full.home, place).exit_code == 0
    assert told(target, client) == before
