from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.event_log.log import EventLog
from infra.keys.ring import KeyRing
from tests.infra.ticks import Place, open_keys, open_log


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a log and its keys are: every promise is tried in both."""
    if request.param == "sqlite":
        return tmp_path
    url: str = request.getfixturevalue("database")
    return url


@pytest.fixture
def keys(place: Place) -> Iterator[KeyRing]:
    with open_keys(place) as keys:
        yield keys


@pytest.fixture
def log(place: Place) -> Iterator[EventLog]:
    with open_log(place) as log:
        yield log
