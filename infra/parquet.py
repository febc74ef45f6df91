"""Parquet files that are the same to the byte for the same rows: fixed groups of rows, plain encodings, page checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

Kind: TypeAlias = Literal["text", "int", "money", "instant", "day", "flag", "number", "json"]
"""What a column holds: ``money`` in minor units, ``instant`` in UTC epoch ms, ``day`` in days since 1970, ``json`` as text."""

GROUP = 65_536
"""Rows of a row group. It never depends on how the rows arrive, since another number makes other bytes."""

BATCH = 1024
"""Rows that wait as Python values; then they become columns, which take a fraction of the memory. It changes no bytes."""

LEVEL = 3
"""Of zstd."""


@dataclass(frozen=True)
class Column:
    """``personal``: whether the values concern a person, and are left out unless asked for."""

    name: str
    kind: Kind
    personal: bool = False


@dataclass(frozen=True)
class Table:
    """``month_of``: the column of days by whose month the files are split, None for one file."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    month_of: str | None = None


@dataclass(frozen=True)
class Written:
    """A file: its path within the snapshot, its rows, and the SHA-256 of its bytes."""

    path: str
    rows: int
    sha256: str


@dataclass
class FileWriter:
    """One file being written; rows are kept, as columns, until a group is full. ``digits``: decimals of the currency."""

    path: Path
    columns: Sequence[Column]
    digits: int
    rows: int = 0
    _waiting: list[Sequence[Any]] = field(default_factory=list)
    _batches: list[pa.RecordBatch] = field(default_factory=list)
    _writer: Any = None

    def __post_init__(self) -> None:
        self._schema = pa.schema([(column.name, arrow_type(column.kind, self.digits)) for column in self.columns])

    def add(self, row: Sequence[Any]) -> None:
        self._waiting.append(row)
        self.rows += 1
        if self.rows % GROUP == 0:
            self._flush()
        elif len(self._waiting) == BATCH:
            self.compact()

    def add_table(self, table: pa.Table) -> None:
        """Write rows that are columns already."""
        self.compact()
        start = 0
        while start < len(table):
            piece = table.slice(start, GROUP - self.rows % GROUP)
            self._batches += piece.combine_chunks().to_batches()
            start += len(piece)
            self.rows += len(piece)
            if self.rows % GROUP == 0:
                self._flush()

    def compact(self) -> None:
        """Turn the rows that wait into columns."""
        if not self._waiting:
            return
        values = zip(*self._waiting, strict=True)
        arrays = [arrow_array(column.kind, told, self.digits) for column, told in zip(self.columns, values, strict=True)]
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._waiting.clear()

    def close(self) -> None:
        if self._waiting or self._batches or self._writer is None:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self.compact()
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(
                self.path, self._schema, compression="zstd", compression_level=LEVEL, use_dictionary=False,
                version="2.6", write_page_checksum=True, store_schema=True,
            )  # fmt: skip
        group = pa.Table.from_batches(self._batches, self._schema).combine_chunks()
        self._writer.write_table(group, row_group_size=GROUP)
        self._batches.clear()


def arrow_type(kind: Kind, digits: int) -> pa.DataType:
    """Return the type of a column."""
    types: dict[str, Callable[[], pa.DataType]] = {
        "text": pa.string,
        "json": pa.string,
        "int": pa.int64,
        "number": pa.float64,
        "flag": pa.bool_,
        "money": lambda: pa.decimal128(18, digits),
        "instant": lambda: pa.timestamp("ms", tz="UTC"),
        "day": pa.date32,
    }
    return types[kind]()


def arrow_array(kind: Kind, values: Sequence[Any], digits: int) -> pa.Array:
    """Return values as a column. Money is scaled by its bytes, so that no value passes through a float."""
    if kind == "money":
        whole = pa.array(values, pa.int64()).cast(pa.decimal128(19, 0)).cast(pa.decimal128(18, 0))
        return pa.Array.from_buffers(pa.decimal128(18, digits), len(whole), whole.buffers(), whole.null_count)
    if kind == "instant":
        return pa.array(values, pa.int64()).cast(pa.timestamp("ms")).cast(pa.timestamp("ms", tz="UTC"))
    if kind == "day":
        return pa.array(values, pa.int32()).cast(pa.date32())
    return pa.array(values, arrow_type(kind, digits))


Pseudonym: TypeAlias = Callable[[str, str], str]
"""Returns what stands for a personal value, from the name of its column and the value."""

BLANK = (None, "", "{}")
"""Values that tell nothing, so that no pseudonym stands for them."""


class TableWriter:
    """The files of one table under a folder, split by month if the table is.

    ``personal``: with personal values. Without them, a ``pseudonym`` stands for each, or nothing.
    """

    def __init__(self, folder: Path, table: Table, digits: int, personal: bool, pseudonym: Pseudonym | None = None) -> None:
        self._folder = folder
        self._table = table
        self._digits = digits
        self._personal = personal
        self._files: dict[str, FileWriter] = {}
        names = [column.name for column in table.columns]
        self._month = names.index(table.month_of) if table.month_of else None
        self._hidden = [(index, column.name) for index, column in enumerate(table.columns) if column.personal and not personal]
        self._pseudonym = pseudonym

    def add(self, row: Sequence[Any], month: str = "") -> None:
        """Write a row, its values in the order of the columns. ``month``: as ``2017-01``, for a table that is split by it."""
        if self._hidden:
            shown = list(row)
            for index, name in self._hidden:
                blank = self._pseudonym is None or shown[index] in BLANK
                shown[index] = None if blank else self._pseudonym(name, shown[index])  # type: ignore[misc]
            row = shown
        name = f"{self._table.name}/month={month}/part.parquet" if self._month is not None else f"{self._table.name}.parquet"
        if name not in self._files:
            for other in self._files.values():
                other.compact()  # of a month that is over few rows will come
            self._files[name] = FileWriter(self._folder / name, self._table.columns, self._digits)
        self._files[name].add(row)

    def add_table(self, table: pa.Table) -> None:
        """Write rows that are columns already, into a table that is not split and hides no column."""
        name = f"{self._table.name}.parquet"
        self._files.setdefault(name, FileWriter(self._folder / name, self._table.columns, self._digits)).add_table(table)

    def close(self) -> list[Written]:
        """Finish the files and return them. A table without rows has an empty file, so that a query finds its columns."""
        if not self._files:
            name = f"{self._table.name}/month=none/part.parquet" if self._month is not None else f"{self._table.name}.parquet"
            self._files[name] = FileWriter(self._folder / name, self._table.columns, self._digits)
        for writer in self._files.values():
            writer.close()
        return [Written(name, writer.rows, sha256_of(self._folder / name)) for name, writer in sorted(self._files.items())]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
