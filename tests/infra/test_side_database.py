"""Small tables beside the log: processes that start at the same time create them together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

from infra.side_database import SideDatabase

TOGETHER = 8
TABLES = [f"CREATE TABLE IF NOT EXISTS made_{number} (one INTEGER PRIMARY KEY)" for number in range(5)]


def create_together(file: Path, url: str | None) -> None:
    ready = Barrier(TOGETHER)

    def create(_: int) -> None:
        with closing(SideDatabase(file, url)) as database:
            database.run("SELECT 1")
            ready.wait(30)
            database.create(TABLES)
            database.run("SELECT * FROM made_4")

    with ThreadPoolExecutor(TOGETHER) as crowd:
        list(crowd.map(create, range(TOGETHER)))


def test_processes_that_start_together_create_tables_in_postgresql(tmp_path: Path, bare_database: str) -> None:
    create_together(tmp_path / "unused.db", bare_database)


def test_processes_that_start_together_create_tables_in_a_file(tmp_path: Path) -> None:
    create_together(tmp_path / "made.db", None)
