"""Snapshots under faults: damaged files, a wrong base, a full disk, rows that cannot be read, a kill. Each is a sentence."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from infra import spilling
from infra.errors import Misconfigured, Newer, Unreadable
from infra.settings import Settings
from infra.spilling import SpillFile
from streams.replay.snapshot.files import SnapshotRequest, check, write_snapshot
from streams.running.app import App, running
from tests.streams.replay.snapshot.test_snapshot import fault


def test_a_damaged_base_is_named(home: App, whole: Path, tmp_path: Path) -> None:
    data = (whole / "lots.parquet").read_bytes()
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    for damaged in (bytes(flipped), data[:-20]):
        (whole / "lots.parquet").write_bytes(damaged)
        assert "lots.parquet is not as written" in fault("snapshot", tmp_path / "n", "--since", whole)
        assert "lots.parquet is not as written" in fault("report", "orders", "--snapshot", whole)
    (whole / "manifest.json").unlink()
    assert "is no snapshot" in fault("snapshot", tmp_path / "n", "--since", whole)


def test_a_base_of_another_log_or_of_later_is_refused(home: App, whole: Path, tmp_path: Path) -> None:
    assert "later than 10" in fault("snapshot", tmp_path / "n", "--at", 10, "--since", whole)
    other = Settings(home=tmp_path / "other", redis_url=home.settings.redis_url)
    home.views.client.flushall()
    with running(other) as app, pytest.raises(Misconfigured, match="another log"):
        write_snapshot(app, tmp_path / "n", SnapshotRequest(1, whole))


@pytest.mark.parametrize("room", [2_000, 150_000], ids=["for no table", "for all tables, not for DuckDB's file"])
def test_a_disk_that_is_full_ends_it_with_a_sentence_and_leaves_nothing(room: int, home: App, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    words = [sys.executable, "-m", "streams.cli.main", "snapshot", str(tmp_path / "full")]
    words[1:3] = ["-c", "from streams.cli.main import main; main()"]
    ended = subprocess.run(words, preexec_fn=limit, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "cannot be written" in ended.stderr
    assert list(tmp_path.glob("full*")) == []


def test_a_disk_that_is_full_while_rows_wait_on_it_leaves_nothing(
    shop: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spilling, "MOST", 3)
    monkeypatch.setattr(SpillFile, "write", full)
    with pytest.raises(Misconfigured, match=r"full cannot be written: No space left on device\. Nothing is left of it\."):
        write_snapshot(shop, tmp_path / "full", SnapshotRequest(shop.log.head()))
    assert list(tmp_path.glob("full*")) == []


@pytest.mark.parametrize(
    ("column", "value", "error"),
    [("state", b'{"key":"m-3","member":', Unreadable), ("topic", "MemberTeleported", Newer)],
    ids=["a corrupted row", "an event of the future"],
)
def test_an_event_that_cannot_be_read_ends_it_and_leaves_nothing(
    shop: App, tmp_path: Path, column: str, value: object, error: type[Exception]
) -> None:
    with sqlite3.connect(shop.settings.log) as database:
        (at,) = database.execute("SELECT MIN(rowid) FROM stored_events WHERE topic = 'OrderPaid'").fetchone()
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute(f"UPDATE stored_events SET {column} = ? WHERE rowid = ?", (value, at))
    shop.log.recent.extend(0, [], [])  # so that it reads what is stored
    with pytest.raises(error):
        write_snapshot(shop, tmp_path / "spoilt", SnapshotRequest(shop.log.head()))
    assert list(tmp_path.glob("spoilt*")) == []


def test_what_a_killed_snapshot_left_does_not_stand_in_the_way_of_the_next(shop: App, whole: Path, tmp_path: Path) -> None:
    partial = tmp_path / "again.partial"
    shutil.copytree(whole, partial)
    (partial / "manifest.json").unlink()
    (partial / "stray.parquet").write_bytes(b"half")
    write_snapshot(shop, tmp_path / "again", SnapshotRequest(shop.log.head()))
    assert check(tmp_path / "again") == check(whole)
    assert not (tmp_path / "again/stray.parquet").exists()
    assert not partial.exists()
