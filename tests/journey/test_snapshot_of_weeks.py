"""A snapshot of real shopping adds up to the books and to Redis."""

from __future__ import annotations

from pathlib import Path

from streams.replay.snapshot.files import SnapshotRequest, write_snapshot
from streams.running.app import App
from tests.streams.replay.snapshot.test_snapshot import check_money, ledger_by_kind, nonzero, recorded_by_kind


def test_two_weeks_of_real_shopping_add_up_to_the_books_and_to_redis(app: App, tmp_path: Path) -> None:
    folder = tmp_path / "weeks"
    write_snapshot(app, folder, SnapshotRequest(app.log.head()))
    assert nonzero(ledger_by_kind(folder)) == nonzero(recorded_by_kind(app))
    check_money(app, folder)
