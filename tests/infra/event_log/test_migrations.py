from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from infra.codec import Codec, EventType
from infra.errors import Misconfigured, Unreachable
from infra.event_log.postgres import PostgresLog
from infra.event_log.schema import LOG_TABLES
from infra.keys.stores import KEY_TABLES, PostgresKeys
from infra.postgres.migrate import migrate, require_tables
from tests.infra.ticks import Ticked, open_keys, open_log, tick

ROOT = Path(__file__).parents[3]
NOW = LOG_TABLES.version
LATER = replace(
    LOG_TABLES, steps=(*LOG_TABLES.steps, ("ALTER TABLE outcomes ADD COLUMN later int", "CREATE TABLE later (a int)"))
)


def test_tables_are_made_once_and_a_second_time_changes_nothing(bare_database: str) -> None:
    assert (migrate(bare_database, LOG_TABLES), migrate(bare_database, KEY_TABLES)) == ((0, NOW), (0, 1))
    assert (migrate(bare_database, LOG_TABLES), migrate(bare_database, KEY_TABLES)) == ((NOW, NOW), (1, 1))
    with open_log(bare_database) as log:
        tick(log, "a")


def test_a_step_is_taken_once_and_keeps_what_is_there(database: str) -> None:
    with open_log(database) as log:
        tick(log, "a", 3)
    assert migrate(database, LATER) == (NOW, NOW + 1)
    assert migrate(database, LATER) == (NOW + 1, NOW + 1)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM stored_events, later").fetchone() == (0,)
        assert connection.execute("SELECT max(notification_id) FROM stored_events").fetchone() == (3,)


def test_a_step_that_fails_leaves_the_version_before(database: str) -> None:
    broken = replace(LOG_TABLES, steps=(*LOG_TABLES.steps, ("CREATE TABLE later (a int)", "CREATE TABLE later (a int)")))
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate(database, broken)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('later'), max(version) FROM schema_version").fetchone() == (None, NOW)


def test_without_tables_the_command_is_named(bare_database: str, database: str) -> None:
    with open_keys(database) as keys:
        codec = Codec((EventType(Ticked),), keys)
        for opened in (lambda: PostgresKeys(bare_database), lambda: PostgresLog(bare_database, codec)):
            with pytest.raises(Misconfigured, match="do not exist yet: run `regulars migrate`"):
                opened()


def test_tables_of_a_later_version_ask_for_a_later_program(database: str) -> None:
    migrate(database, LATER)
    with pytest.raises(Misconfigured, match=f"have version {NOW + 1}, this program knows {NOW}: upgrade"), open_log(database):
        pass
    with pytest.raises(Misconfigured, match="upgrade Regulars"):
        migrate(database, LOG_TABLES)


def test_tables_of_an_earlier_version_ask_for_the_command(database: str) -> None:
    with pytest.raises(Misconfigured, match=f"have version {NOW}, this program needs {NOW + 1}: run `regulars migrate`"):
        require_tables(database, LATER)


def test_four_processes_may_migrate_at_once(bare_database: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from streams.cli.main import main; main()", "migrate"]
    environment = {**os.environ, "DATABASE_URL": bare_database, "REGULARS_HOME": str(tmp_path)}
    running = [subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    told = sorted(process.communicate()[1] for process in running)
    assert [process.returncode for process in running] == [0] * 4
    assert sum("the log" in line and f"were of version 0, now they are of version {NOW}" in line for line in told) == 1, told
    with open_log(bare_database) as log:
        tick(log, "a")


def test_a_database_in_another_encoding_is_refused(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
        try:
            with pytest.raises(Misconfigured, match="is encoded in LATIN1: make one in UTF8"):
                migrate(database.replace(connection.info.dbname, "latin"), LOG_TABLES)
        finally:
            connection.execute("DROP DATABASE latin")


def test_nobody_there_is_said_without_the_password() -> None:
    with pytest.raises(Unreachable, match="does not answer at postgresql://ada@127") as told:
        migrate("postgresql://ada:secret@127.0.0.1:1/shop", LOG_TABLES)
    assert "secret" not in str(told.value)
