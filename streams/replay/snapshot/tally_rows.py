"""The rows of ``product_stats`` and ``daily_sales``: sums over the log, which a snapshot holds whole each time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aggregates.delta import Delta
from infra.parquet import arrow_array
from infra.spilling import SpillFile, SpillingRecords
from projections.product import product
from projections.sales import sales
from streams.replay.snapshot.tables import TABLES

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


TALLIES = ("product_stats", "daily_sales")
"""The tables whose rows are sums, so that those of two stretches of the log add up."""


def added_to(base: Path, name: str, rows: list[tuple[Any, ...]]) -> pa.Table:
    """Return the table ``name`` of a snapshot with rows that came since, in the order of a whole snapshot's.

    As columns: a snapshot of one day adds few rows to hundreds of thousands.
    """
    columns = TABLES[name].columns
    whole = pq.read_table(base / f"{name}.parquet")
    if rows:
        values = zip(*rows, strict=True)
        more = [arrow_array(column.kind, told, 0) for column, told in zip(columns, values, strict=True)]
        whole = pa.concat_tables([whole, pa.table(more, whole.schema)])
    keys = [column.name for column in columns if column.name != VALUE]
    summed = whole.group_by(keys).aggregate([(VALUE, "sum")]).rename_columns([*keys, VALUE])
    summed = summed.filter(pc.not_equal(summed[VALUE], 0))
    return summed.take(sorted_indices(sorting(name, summed))).select(whole.column_names).cast(whole.schema)


def sorted_indices(table: pa.Table) -> pa.Array:
    return pc.sort_indices(table, [(name, "ascending") for name in table.column_names])


def sorting(name: str, table: pa.Table) -> pa.Table:
    """Return the columns by which a table is sorted: by the read model's key, then by its field there."""
    if name == "product_stats":
        return table.select(["product", "counter"])
    field = pc.binary_join_element_wise(pc.fill_null(table["name"], ""), table["counter"], ":")
    field = pc.if_else(pc.equal(table["split"], "all"), table["counter"], field)
    return pa.table({"day": table["day"], "split": table["split"], "field": field})
