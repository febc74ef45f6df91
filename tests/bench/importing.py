"""How many lines a second a shop-log goes in: views, and lines of orders; into log and views, and with the models."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.cli.import_shop_log import ShopLogFile, import_shop_log, started

VIEWS, ORDER_LINES = 50_000, 50_000
PRODUCTS, MEMBERS = 10_000, 5_000
BEGAN = 1_700_000_000_000


def views(random: Random) -> Iterator[dict[str, object]]:
    """Visits of eight views or so, many at the same time; some by members."""
    for n in range(VIEWS):
        session = n // 8 + random.randrange(40)
        line = {"type": "view", "at": BEGAN + n * 2000, "product_id": popular(random), "session_id": f"s{session}"}
        yield line | ({"member_id": f"m{session % MEMBERS}"} if session % 5 == 0 else {})


def orders(random: Random) -> Iterator[dict[str, object]]:
    """Orders of ten lines."""
    for n in range(ORDER_LINES // 10):
        lines = [{"product_id": popular(random), "total": f"{random.randrange(100, 5000) / 100:.2f}"} for _ in range(10)]
        member = f"m{int(MEMBERS * random.random() ** 2)}"
        yield {"type": "order", "at": BEGAN + n * 30_000, "order_id": f"o{n}", "member_id": member, "lines": lines}


def popular(random: Random) -> str:
    return f"p{int(PRODUCTS * random.random() ** 3)}"


def imports(folder: Path) -> Iterator[tuple[str, ...]]:
    for what, lines, units in (("views", views, VIEWS), ("lines of orders, ten an order", orders, ORDER_LINES)):
        raw = b"".join(json.dumps(line).encode() + b"\n" for line in lines(Random(1)))
        rates = []
        for models in (False, True):
            settings = Settings(folder / f"import-{what[:5]}-{models}")
            file = io.BytesIO(raw)
            try:
                with started(file, settings, None, None) as (app, numbered):
                    bad = settings.home / "rejects.jsonl"
                    ended = import_shop_log(app, ShopLogFile(file, numbered, None), bad, models, quiet=True)
            finally:
                EmbeddedRedis(settings.valkey).stop()
            assert not ended.taken.rejected
            rates.append(f"{units / ended.seconds:,.0f}/s")
        yield (what, *rates)
