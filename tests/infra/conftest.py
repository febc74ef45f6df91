from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.event_log.sqlite import SqliteLog
from infra.keys import KeyRing
from tests.infra.ticks import open_log


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyRing]:
    keys = KeyRing(tmp_path / "keys.db")
    yield keys
    keys.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    with open_log(tmp_path) as log:
        yield log
