"""What a coupon costs an order, on PostgreSQL: one hot limited coupon, and one without a limit, against an order without.

The floor of a limit is what PostgreSQL needs for it at least: a guarded update of one row and an insert, in a transaction.
Every order is placed with its trace, reserves what it uses and is paid; pairs are run in turn, and medians compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from aggregates.campaign import ChangeCampaign, LaunchCampaign
from aggregates.coupon import ReserveCoupon
from aggregates.order.decider import PayOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.priced import lines_of_trace
from aggregates.pricing.campaign_document import read_campaign
from aggregates.pricing.pipeline import price
from aggregates.pricing.request import LineItem, PriceRequest, PriceRules, Running
from aggregates.pricing.trace import Trace
from infra.embedded.postgres import EmbeddedPostgres
from infra.event_log.schema import LOG_TABLES
from infra.keys.stores import KEY_TABLES
from infra.postgres.migrate import migrate
from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import App, running
from tests.bench.comparing import timed
from tests.packaged import forget

AT = 1_700_000_000_000
ORDERS = 20
ROUNDS = 41
FREE: dict[str, Any] = {"effect": {"percent": "10 %"}}
HOT: dict[str, Any] = {**FREE, "limits": {"total": 10**6}}
GUARDED = "UPDATE bare_limits SET used = used + 1 WHERE key = 'hot' AND used < allowed RETURNING used"


@dataclass(frozen=True)
class CouponCost:
    """Microseconds of an order without a coupon, with one that has no limit, and with a hot limited one; and of the floor."""

    without: float
    unlimited: float
    limited: float
    floor: float
    unlimited_ratio: float
    limited_ratio: float

    def rows(self) -> Iterator[tuple[str, ...]]:
        yield "no coupon", f"{self.without:,.0f} µs", "", ""
        yield "without a limit", f"{self.unlimited:,.0f} µs", f"{self.unlimited_ratio:.3f}", "≤ 1.10 of no coupon"
        yield "one hot limit", f"{self.limited:,.0f} µs", f"{self.limited_ratio:.3f}", "≤ 1.5 of no limit"
        over = (self.limited - self.unlimited) / self.floor
        yield "floor: row and insert", f"{self.floor:,.0f} µs", f"{over:.2f}", "what the limit adds, in floors"


def traces() -> dict[str, Trace]:
    """Return the price of a cart by nothing, by a campaign without a limit, and by one with a limit."""
    items = tuple(LineItem(f"p{n}", f"p{n}", 2, 1999, (1, 5)) for n in range(3))
    found = {"without": price(PriceRequest(items, rules=PriceRules("USD"))).trace}
    for name, document in (("free", FREE), ("hot", HOT)):
        terms, problems = read_campaign(document)
        if terms is None or problems:
            raise RuntimeError(f"These terms do not fit: {problems}")
        found[name] = price(PriceRequest(items, campaigns=(Running(name, terms, 2),), rules=PriceRules("USD"))).trace
    return found


def orders(app: App, name: str, trace: Trace, ids: Iterator[int]) -> Callable[[int], None]:
    """Return work that places and pays orders by a trace, each in an append of its own."""

    def work(_: int) -> None:
        for _ in range(ORDERS):
            number = next(ids)
            order, member = f"{name}-{number}", f"{name}-m-{number}"
            commands: list[Any] = [PlaceOrder(order, lines_of_trace(trace), "USD", AT, member, tax=trace.tax, priced=trace)]
            if name == "hot":
                commands.append(ReserveCoupon("hot", member, order, AT, AT + 900_000, 2, amount=trace.steps[0].amount))
            outcome = app.handler.handle(Request(order, (*commands, PayOrder(order, AT))))
            if not outcome.accepted:
                raise RuntimeError(outcome.sentence)

    return work


@contextmanager
def bare(url: str) -> Iterator[Callable[[int], None]]:
    """Yield the floor: a guarded update of one row and an insert of a row, committed together."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare_limits (key text PRIMARY KEY, used bigint NOT NULL, allowed bigint NOT NULL)")
        connection.execute("CREATE TABLE bare_uses (number bigint PRIMARY KEY)")
        connection.execute("INSERT INTO bare_limits VALUES ('hot', 0, 1000000)")
        ids = count()

        def work(_: int) -> None:
            for _ in range(ORDERS):
                with connection.transaction():
                    connection.execute(GUARDED).fetchall()
                    connection.execute("INSERT INTO bare_uses VALUES (%s)", (next(ids),))

        yield work


def cost_of_coupons(folder: Path, rounds: int = ROUNDS) -> CouponCost:
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    try:
        for tables in (LOG_TABLES, KEY_TABLES):
            migrate(server.url, tables)
        settings = Settings(folder, database_url=server.url)
        with running(settings) as app, bare(server.url) as floor:
            for name, document in (("free", FREE), ("hot", HOT)):
                launch = LaunchCampaign(name, AT), ChangeCampaign(name, document, "ada", AT)
                app.handler.handle(Request(f"launch {name}", launch))
            works = [orders(app, name, trace, count()) for name, trace in traces().items()]
            times = [[timed(work, turn) / ORDERS * 1e6 for work in (*works, floor)] for turn in range(rounds + 1)][1:]
    finally:
        server.stop()
        forget(server)
    none, free, hot, least = (median(column) for column in zip(*times, strict=True))
    return CouponCost(
        none, free, hot, least, median(row[1] / row[0] for row in times), median(row[2] / row[1] for row in times)
    )
