"""``make bench``: what the system costs over the least that could do the same work, in the same run.

Every pair is run alternately; a line shows the median of each and the median ratio. Absolute times are this machine's, now.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console

from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.cli.console import grid
from streams.cli.import_ import import_complete_journey
from streams.imports.complete_journey import SHOP
from streams.running.app import running
from tests.bench.appending import append_in_groups, append_one_by_one
from tests.bench.appending_postgres import append_to_postgres
from tests.bench.comparing import Compared
from tests.bench.coupons import cost_of_coupons
from tests.bench.importing import imports
from tests.bench.pricing import search_of_sets
from tests.bench.reading import dispatch_to_redis, follow_the_log, rebuild_a_cart
from tests.bench.recommending import recommend

WEEKS = 4


def main() -> None:
    out = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        settings = Settings(Path(folder))
        try:
            with running(settings, SHOP) as app:
                imported = import_complete_journey(app, WEEKS)
                rows: list[Compared] = [
                    append_one_by_one(Path(folder)),
                    append_in_groups(Path(folder)),
                    *append_to_postgres(Path(folder)),
                    rebuild_a_cart(app),
                    follow_the_log(app),
                    dispatch_to_redis(app),
                ]
                out.print(grid("", ("what", "floor", "floor takes", "takes", "ratio", "goal"), (row.cells() for row in rows)))
                out.print(grid("Recommendations", ("what", "mean", "p50", "p99", "goal"), recommend(app)))
                out.print(grid("A shop-log", ("what", "log and views", "with models", "goal"), goals(imports(Path(folder)))))
                head = ("what", "one price", "p50 ratio", "p99 ratio", "longest", "not proven", "goal")
                out.print(grid("Promotions", head, search_of_sets()))
                rows_of_coupons = cost_of_coupons(Path(folder) / "coupons").rows()
                out.print(grid("An order with a coupon", ("coupon", "takes", "ratio", "goal"), rows_of_coupons))
                out.print(f"Whole path of {WEEKS} weeks: {imported.events / imported.seconds:,.0f} events/s")
        finally:
            EmbeddedRedis(settings.valkey).stop()


def goals(rows: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    return ((*row, "≥ 15,000/s; ≥ 5,000/s with models") for row in rows)


main()
