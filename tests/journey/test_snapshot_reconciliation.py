"""DuckDB over a snapshot of two weeks has the sums of Complete Journey's files and of Redis."""

from __future__ import annotations

from pathlib import Path

from streams.replay.snapshot.files import SnapshotRequest, write_snapshot
from streams.running.app import App
from tests.conftest import JOURNEY
from tests.journey.snapshot_totals import check_snapshot


def test_a_snapshot_of_two_weeks_reconciles_to_the_cent(app: App, tmp_path: Path) -> None:
    write_snapshot(app, tmp_path / "tables", SnapshotRequest(app.log.head()))
    check_snapshot(JOURNEY, app.views, tmp_path / "tables")
