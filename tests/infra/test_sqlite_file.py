"""What is in the place of the log or of its keys and is no database, or a damaged one, is said to be that, and left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.errors import Unreadable
from infra.settings import Settings
from streams.running.app import open_log

TEXT = b"this is a text that somebody has put here, long enough to be read as the head of a database " * 8


@pytest.mark.parametrize("name", ["events.db", "keys.db"])
def test_what_is_no_database_is_said_to_be_none(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(TEXT)
    with (
        pytest.raises(Unreadable, match=rf"{name} is not a SQLite database.*: restore it from a backup"),
        open_log(Settings(tmp_path)),
    ):
        pass
    assert (tmp_path / name).read_bytes() == TEXT


def test_so_is_a_damaged_one(tmp_path: Path) -> None:
    with open_log(Settings(tmp_path)):
        pass
    log = tmp_path / "events.db"
    damaged = log.read_bytes()[:100] + bytes(len(log.read_bytes()) - 100)
    log.write_bytes(damaged)
    for beside in tmp_path.glob("events.db-*"):
        beside.unlink()
    with pytest.raises(Unreadable, match=r"events\.db is not a SQLite database"), open_log(Settings(tmp_path)):
        pass
