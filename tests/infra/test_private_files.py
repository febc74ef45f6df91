"""What a home holds is for its owner alone, and what cannot be a home is refused in a sentence."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregates.member import RegisterMember
from infra.errors import Misconfigured, Unreachable, Unreadable
from infra.event_log.sqlite import SqliteLog
from infra.event_log.types import Shop
from infra.private_files import make_home
from infra.settings import Settings, from_environment
from infra.sqlite_file import translate_sqlite_errors
from streams.commands.request import Request
from streams.running.app import open_log, running
from tests.shop import START

WANTED = Shop("UTC", "EUR")


@pytest.fixture
def open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_to_all")
def test_files_are_private_in_a_home_that_is_not(settings: Settings) -> None:
    settings.home.mkdir(mode=0o755)
    settings.log.touch(mode=0o644)
    with running(settings) as app:
        app.handler.handle(Request("r", (RegisterMember("m", START, "Ann"),)))
        found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in settings.home.iterdir() if path.is_file()}
    assert {"events.db", "keys.db"} <= set(found)
    assert set(found.values()) == {0o600}, found


@pytest.mark.usefixtures("open_to_all")
def test_an_export_and_rejected_lines_are_private(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "lines.jsonl").write_text(
        '{"type":"nothing"}\n{"type":"member","at":1700000000000,"member_id":"m","name":"Ann"}\n'
    )
    command = [sys.executable, "-c", "from streams.cli.main import main; main()"]
    environment = {**os.environ, "REGULARS_HOME": str(settings.home), "REDIS_URL": str(settings.redis_url)}
    for words in ("import shop-log lines.jsonl", "export shop-log --personal out.jsonl", "export shop-log out.gz"):
        subprocess.run([*command, *words.split()], cwd=tmp_path, env=environment, check=False)
    files = [tmp_path / "out.jsonl", tmp_path / "out.gz", *(settings.home / "rejects").iterdir()]
    assert len(files) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(Misconfigured, match="is not a directory: choose another"):
        make_home(tmp_path / "home")
    with pytest.raises(Misconfigured, match="cannot be created"):
        make_home(tmp_path / "home" / "below")


def test_a_home_must_have_a_name_in_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_HOME", "/somewhere/caf\udce9")
    with pytest.raises(Misconfigured, match="not a path in UTF-8"):
        from_environment()


@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        ("SQLITE_FULL", Unreachable, "its disk is full"),
        ("SQLITE_READONLY_DIRECTORY", Misconfigured, "see who owns it"),
        ("SQLITE_CANTOPEN", Misconfigured, "see who owns it"),
        ("SQLITE_BUSY", Unreachable, "has held the lock"),
        ("SQLITE_IOERR_WRITE", Unreachable, "full or broken"),
        ("SQLITE_CORRUPT", Unreadable, "is damaged"),
    ],
)
def test_what_befalls_a_file_is_a_sentence(code: str, kind: type[Exception], sentence: str) -> None:
    fault = sqlite3.OperationalError("what SQLite says")
    fault.sqlite_errorname = code
    with pytest.raises(kind, match=sentence), translate_sqlite_errors(Path("events.db")):
        raise fault


def test_an_error_of_the_program_is_not_translated() -> None:
    with pytest.raises(sqlite3.IntegrityError), translate_sqlite_errors(Path("events.db")):
        raise sqlite3.IntegrityError("the log is append-only")


def test_a_damaged_page_is_named(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    with open_log(settings):
        pass
    pages = bytearray(settings.log.read_bytes())
    pages[100:] = b"\xff" * (len(pages) - 100)
    settings.log.write_bytes(pages)
    with pytest.raises(Unreadable, match="is damaged"), open_log(settings):
        pass


def test_reading_waits_for_no_writer(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    with open_log(settings) as (log, keys):
        shop = log.shop(WANTED, chosen=False)
        keys.belong_to(log.identity(), has_events=False)
        keys.blind("x")
    with (
        sqlite3.connect(settings.log, isolation_level=None) as writer,
        sqlite3.connect(settings.keys, isolation_level=None) as other,
    ):
        writer.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        with open_log(settings) as (log, keys):
            assert log.shop(WANTED, chosen=False) == shop
            keys.belong_to(log.identity(), has_events=False)
            assert keys.problem is None


@pytest.mark.parametrize(
    ("pragma", "kind", "sentence"),
    [("max_page_count = 1", Unreachable, "full"), ("query_only = 1", Misconfigured, "who owns it")],
)
def test_an_append_to_a_full_or_read_only_disk_is_refused_and_reading_goes_on(
    settings: Settings, pragma: str, kind: type[Exception], sentence: str
) -> None:
    with running(settings) as app:
        assert isinstance(app.log, SqliteLog)
        app.handler.handle(Request("r1", (RegisterMember("m-1", START),)))
        app.log._cursor.execute(f"PRAGMA {pragma}")
        many = tuple(RegisterMember(f"n-{number}", START) for number in range(2_000))
        with pytest.raises(kind, match=sentence):
            app.handler.handle(Request("r2", many))
        assert app.log.head() == 1
        app.log._cursor.execute("PRAGMA max_page_count = 1000000")
        app.log._cursor.execute("PRAGMA query_only = 0")
        assert app.handler.handle(Request("r2", many[:3])).accepted
