"""Eight weeks of Complete Journey, written as a shop-log and imported again: the same read models. Minutes: `make verify`."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.packaged.valkey import EmbeddedRedis
from tests.journey.regulars import Regulars

pytestmark = pytest.mark.slow


def test_what_is_exported_and_imported_again_has_the_same_digest(tmp_path: Path) -> None:
    one, other, file = Regulars(tmp_path / "one"), Regulars(tmp_path / "other"), tmp_path / "shop.jsonl.gz"
    try:
        assert one.run("import", "complete-journey", "--weeks", "8")[0] == 0
        assert one.run("export", "shop-log", "--personal", str(file))[0] == 0
        told = other.json("import", "shop-log", str(file))
        assert (told["rejected"], told["duplicates"]) == (0, 0)
        assert other.json("digest") == one.json("digest")
    finally:
        for made in (one, other):
            EmbeddedRedis(made.home / "valkey").stop()
