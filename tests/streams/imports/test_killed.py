"""An import that is killed in its midst, over and over, and asked for again: as if nothing had happened."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.valkey import EmbeddedRedis
from streams.running.app import App
from tests.journey.regulars import Regulars
from tests.redis_content import digests_of
from tests.streams.imports.lines import Line, entry, file_of, import_lines, item, order

SHOPPINGS = 400
KILLS = 3


def history() -> Iterator[Line | bytes]:
    """Shoppings of some ten lines each; one line in a hundred is bad, and some are equal."""
    chance = random.Random(5)
    for n in range(SHOPPINGS):
        who = {"member_id": f"m{n % 50}"} if n % 3 else {"session_id": f"s{n}"}
        products = [f"p{chance.randrange(80)}" for _ in range(3)]
        yield entry("impression", 60 * n, slot="home", product_ids=products, **who)
        yield from (
            entry("view", 60 * n + chance.randrange(2), product_id=product, **who) for product in (*products, products[0])
        )
        yield entry("search", 60 * n, query=f"tea {n % 7}", **who)
        yield entry("add_to_cart", 60 * n + 3, product_id=products[0], **who)
        yield order(f"o{n}", 60 * n + 5, *(item(product, total=n % 90) for product in products), **who)
        if n % 10 == 0:
            yield b'{"type":"view"'
            yield entry("refund", 60 * n + 30, order_id=f"o{n}", lines=[{"line": 1}])


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "killed"
    yield home
    EmbeddedRedis(home / "valkey").stop()


def test_killed_imports_end_like_an_undisturbed_one(app: App, home: Path, tmp_path: Path) -> None:
    lines = list(history())
    quiet = import_lines(app, *lines)
    file = tmp_path / "shop.jsonl"
    file.write_bytes(file_of(lines))
    regulars = Regulars(home)
    hit = sum(killed_at_work(regulars, file, 150_000 * (kill + 1)) for kill in range(KILLS))
    assert hit, "every kill came too late to hit the import"
    status, out, _ = regulars.run("import", "shop-log", str(file), "--json")
    taken = json.loads(out)
    assert (status, taken["duplicates"] > 0) == (3, True)
    assert taken["rejected"] == quiet.counts.rejected
    assert taken["accepted"] + taken["duplicates"] == quiet.counts.accepted
    assert regulars.json("digest") == digests_of(app)


def killed_at_work(regulars: Regulars, file: Path, grown: int) -> bool:
    """Start an import and kill it once the log has grown by so many bytes; whether it was still at work."""
    process = regulars.start("import", "shop-log", str(file), "--json")
    before, deadline = regulars.log_size(), time.monotonic() + 20
    while process.poll() is None and regulars.log_size() < before + grown and time.monotonic() < deadline:
        time.sleep(0.002)
    working = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return working
