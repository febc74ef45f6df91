"""The rows of ``product_stats`` and ``daily_sales``: sums over the log, which a snapshot holds whole each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from aggregates.delta import Delta
from infra.spilling import SpillFile, SpillingRecords
from projections.product import product
from projections.sales import sales

EPOCH = date(1970, 1, 1)

MOST = 50_000
"""Counters of each table in memory."""

VALUE = "value"


class TallyRows:
    """``zone``: of the shop. ``spill``: where counters wait that memory has no room for."""

    def __init__(self, zone: str, spill: SpillFile) -> None:
        self._folds = product, sales(zone)
        self._deltas = Delta(), Delta()
        self._sums = SpillingRecords(spill, None, MOST), SpillingRecords(spill, None, MOST)

    def take(self, event: Any) -> None:
        """Count an event."""
        for fold, delta in zip(self._folds, self._deltas, strict=True):
            if type(event) in fold.events:
                fold.project(delta, event)

    def settle(self) -> None:
        """Move what was counted to the sums; call it once a chunk."""
        for delta, sums in zip(self._deltas, self._sums, strict=True):
            for key, counts in delta.counts.items():
                for name, by in counts.items():
                    sums.add((key, name), VALUE, by)
            delta.counts.clear()
            delta.fields.clear()

    def resume(self, base: Path) -> None:
        """Go on from the sums of the snapshot in the folder ``base``."""
        for name, key_of, sums in (
            ("product_stats", product_counter, self._sums[0]),
            ("daily_sales", sales_counter, self._sums[1]),
        ):
            for batch in pq.ParquetFile(base / f"{name}.parquet").iter_batches():
                for row in batch.to_pylist():
                    sums.add(key_of(row), VALUE, row[VALUE])

    def product_stats(self) -> Iterator[tuple[Any, ...]]:
        """Yield a row a product and counter."""
        for (key, counter), told in self._sums[0].items():
            if told[VALUE]:
                yield key.partition(":")[2], counter, told[VALUE]

    def daily_sales(self) -> Iterator[tuple[Any, ...]]:
        """Yield a row a day, part and counter."""
        for (key, counter), told in self._sums[1].items():
            if told[VALUE]:
                _, day, *split = key.split(":")
                name, _, measure = counter.rpartition(":")
                number = (date.fromisoformat(day) - EPOCH).days
                yield number, split[0] if split else "all", name or None, measure, told[VALUE]


def product_counter(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the key and the counter of the read model that a row of ``product_stats`` is of."""
    return f"product:{row['product']}", row["counter"]


def sales_counter(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the key and the counter of the read model that a row of ``daily_sales`` is of.

    >>> sales_counter({"day": date(2017, 1, 2), "split": "category", "name": "tea", "counter": "paid"})
    ('sales:2017-01-02:category', 'tea:paid')
    """
    day = f"sales:{row['day']:%Y-%m-%d}"
    if row["split"] == "all":
        return day, row["counter"]
    return f"{day}:{row['split']}", f"{row['name'] or ''}:{row['counter']}"
