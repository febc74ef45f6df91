"""Eight weeks of Complete Journey, exported and imported again: the same read models. Minutes long: `make verify`."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from infra.embedded.valkey import EmbeddedRedis
from tests.journey.regulars import Regulars

pytestmark = pytest.mark.slow

WEEKS = 8


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[tuple[Regulars, Regulars]]:
    homes = tmp_path / "first", tmp_path / "second"
    yield Regulars(homes[0]), Regulars(homes[1])
    for home in homes:
        EmbeddedRedis(home / "valkey").stop()


def test_complete_journey_comes_back(homes: tuple[Regulars, Regulars], tmp_path: Path) -> None:
    first, second = homes
    first.json("import", "complete-journey", "--weeks", str(WEEKS))
    file = tmp_path / "journey.jsonl.gz"
    status, _, err = first.run("export", "shop-log", str(file), "--personal")
    assert status == 0, err
    taken = second.json("import", "shop-log", str(file))
    assert (taken["rejected"], taken["duplicates"], taken["late"]) == (0, 0, 0)
    assert second.json("digest") == first.json("digest")
    assert second.json("import", "shop-log", str(file))["accepted"] == 0
    assert mostly_as_a_shop_tells_it(file)


def mostly_as_a_shop_tells_it(file: Path) -> bool:
    """Commands of Regulars are the exception: less than a line in a hundred."""
    kinds = [orjson.loads(line)["type"] for line in gzip.decompress(file.read_bytes()).splitlines()]
    return kinds.count("regulars") < len(kinds) / 100
