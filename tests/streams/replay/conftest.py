"""A small shop's year, and its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pytest

from streams.replay.snapshot.files import SnapshotRequest, write_snapshot
from streams.running.app import App
from tests.shop import requests

Query: TypeAlias = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def shop(app: App) -> App:
    app.handler.handle_all(list(requests(60)))
    app.follower(models=False).catch_up()
    return app


@pytest.fixture
def home(shop: App, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setenv("REGULARS_HOME", str(shop.settings.home))
    monkeypatch.setenv("REDIS_URL", str(shop.settings.redis_url))
    return shop


@pytest.fixture
def whole(shop: App, tmp_path: Path) -> Path:
    folder = tmp_path / "whole"
    write_snapshot(shop, folder, SnapshotRequest(shop.log.head()))
    return folder


@pytest.fixture
def query() -> Query:
    return query_in


def query_in(sql: str, *folders: Path) -> list[tuple[Any, ...]]:
    """Return the rows of a query over the views of some folders, the base first."""
    with tables_of(*folders) as database:
        return database.execute(sql).fetchall()


@contextmanager
def tables_of(*folders: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the views of some folders, the base first."""
    with duckdb.connect() as database:
        database.execute("SET VARIABLE snapshots = $folders", {"folders": [str(folder) for folder in folders]})
        database.execute((folders[-1] / "views.sql").read_text())
        yield database
