"""Records by key in bounded memory: when there are too many, they go to disk as a sorted run; all runs are merged at the end.

Changes need not read what a record held before, so a record that is on disk already may be changed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from heapq import merge
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeAlias

import msgspec

Key: TypeAlias = tuple[str, ...]
Fields: TypeAlias = dict[str, Any]

MOST = 20_000
"""Records in memory, about 20 MB of orders."""

BLOCK = 64
"""Records that are read at once of each run."""

ENCODE = msgspec.msgpack.Encoder().encode
DECODE = msgspec.msgpack.Decoder(list[tuple[Key, Fields]]).decode


class SpillFile:
    """Where runs go: a file in ``folder`` without a name, which ends with the block or with this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: Any = None

    def __enter__(self) -> SpillFile:
        return self

    def __exit__(self, *fault: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, records: Iterator[tuple[Key, Fields]]) -> tuple[int, int]:
        """Store a run and return where it begins and ends."""
        if self._file is None:
            self._file = TemporaryFile(dir=self._folder, buffering=1 << 16)  # noqa: SIM115 - it is closed with the block
        start = self._file.tell()
        while block := list(islice(records, BLOCK)):
            data = ENCODE(block)
            self._file.write(len(data).to_bytes(4, "big") + data)
        self._file.flush()
        return start, self._file.tell()

    def read(self, start: int, end: int) -> Iterator[tuple[Key, Fields]]:
        """Yield the records of a run."""
        while start < end:
            size = int.from_bytes(os.pread(self._file.fileno(), 4, start), "big")
            yield from DECODE(os.pread(self._file.fileno(), size, start + 4))
            start += 4 + size


class SpillingRecords:
    """``file``: where the runs go. ``most``: records in memory.

    ``sums``: fields whose changes add up, None for all of them; of any other field the last change counts.

    >>> records = SpillingRecords(SpillFile(Path(".")), sums=("left",), most=1)
    >>> records.change(("b",), {"lot": "x"}); records.add(("b",), "left", 5); records.change(("a",), {"lot": "y"})
    >>> records.change(("b",), {"lot": "z"}); records.add(("b",), "left", -2)
    >>> list(records.items())
    [(('a',), {'lot': 'y'}), (('b',), {'lot': 'z', 'left': 3})]
    """

    def __init__(self, file: SpillFile, sums: Collection[str] | None = (), most: int | None = None) -> None:
        self._file = file
        self._sums = sums
        self._most = MOST if most is None else most
        self._records: dict[Key, Fields] = {}
        self._runs: list[tuple[int, int]] = []

    def change(self, key: Key, fields: Mapping[str, Any]) -> None:
        """Set fields of a record that do not add up."""
        self._record(key).update(fields)

    def add(self, key: Key, field: str, by: int) -> None:
        """Add to a field that adds up."""
        record = self._record(key)
        record[field] = record.get(field, 0) + by

    def items(self) -> Iterator[tuple[Key, Fields]]:
        """Yield every record by key, with all of its changes."""
        runs = [self._file.read(start, end) for start, end in self._runs]
        current: tuple[Key, Fields] | None = None
        for key, fields in merge(*runs, sorted(self._records.items()), key=lambda record: record[0]):
            if current is None or key != current[0]:
                if current is not None:
                    yield current
                current = key, fields
            else:
                self._take(current[1], fields)
        if current is not None:
            yield current

    def _record(self, key: Key) -> Fields:
        found = self._records.get(key)
        if found is None:
            if len(self._records) >= self._most:
                self._runs.append(self._file.write(iter(sorted(self._records.items()))))
                self._records.clear()
            found = self._records[key] = {}
        return found

    def _take(self, record: Fields, later: Fields) -> None:
        """Apply the changes of a later run to a record."""
        for field, value in later.items():
            record[field] = record.get(field, 0) + value if self._sums is None or field in self._sums else value
