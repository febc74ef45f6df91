"""What DuckDB finds in a snapshot and in the files of Complete Journey, by SQL that shares no code with either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from infra.redis.views import Views
from tests.journey.test_reconciliation import Truth, folder, totals_in_redis, truth

TOTALS = """
    SELECT (SELECT count(*) FROM orders WHERE paid_at IS NOT NULL), (SELECT count(*) FROM order_lines),
        (SELECT count(*) FROM members), (SELECT sum(gross) FROM orders), (SELECT sum(total) FROM orders),
        (SELECT sum(paid) FROM orders), (SELECT count(used_at) FROM coupons)
"""

SALES = """
    SELECT placed_on, department, sum(total)::DECIMAL(18, 2) AS total, sum(paid)::DECIMAL(18, 2) AS paid, count(*) AS lines
    FROM order_lines GROUP BY ALL
"""

THEIRS = """
    SELECT timezone('America/New_York', transaction_timestamp::TIMESTAMPTZ)::DATE AS placed_on, department,
        sum(sales_value::DECIMAL(18, 2))::DECIMAL(18, 2) AS total,
        sum(sales_value::DECIMAL(18, 2) - coupon_disc::DECIMAL(18, 2))::DECIMAL(18, 2) AS paid, count(*) AS lines
    FROM read_parquet('{0}/transactions.parquet') LEFT JOIN read_parquet('{0}/products.parquet') USING (product_id)
    WHERE week <= {1} GROUP BY ALL
"""


def check_snapshot(weeks: int, views: Views, *snapshots: Path) -> None:
    """Assert that snapshots, the base first, have the totals of the files and of Redis, and the sales of each day."""
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        database.execute("SET VARIABLE snapshots = $folders", {"folders": [str(one) for one in snapshots]})
        database.execute((snapshots[-1] / "views.sql").read_text())
        orders, lines, members, *money, redemptions = one(database, TOTALS)
        gross, total, paid = (int(amount * 100) for amount in money)
        told = Truth(orders, lines, members, gross, total, paid, redemptions)
        assert told == truth(weeks) == totals_in_redis(views)
        theirs = THEIRS.format(folder(), weeks)
        for ours_less_theirs in (f"({SALES}) EXCEPT ({theirs})", f"({theirs}) EXCEPT ({SALES})"):
            assert database.execute(ours_less_theirs).fetchall() == []
        assert one(database, f"SELECT count(*) FROM ({SALES})")[0] > weeks * 7 * 10


def one(database: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    row = database.execute(sql).fetchone()
    assert row is not None
    return row
