"""Twenty kills in a row, then the end: eight weeks come out as if nothing had happened. Minutes long: `make verify`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.valkey import EmbeddedRedis
from tests.journey.regulars import Regulars, import_with_kills

pytestmark = pytest.mark.slow

WEEKS = 8
KILLS = 20


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    homes = tmp_path / "killed", tmp_path / "quiet"
    for home in homes:
        home.mkdir()
    yield homes
    for home in homes:
        EmbeddedRedis(home / "valkey").stop()


def test_twenty_kills_change_nothing(homes: tuple[Path, Path]) -> None:
    killed, hit = import_with_kills(homes[0], WEEKS, KILLS, seconds=(2.0, 7.0), seed=1)
    assert hit >= KILLS // 2, f"only {hit} of {KILLS} kills hit the import at work"
    quiet = Regulars(homes[1])
    quiet.json("import", "complete-journey", "--weeks", str(WEEKS))
    assert killed.json("digest") == quiet.json("digest")
