"""Generates ``docs/snapshots.md`` from the tables of a snapshot: ``python -m streams.docs.snapshots``."""

from __future__ import annotations

from collections.abc import Iterator

from infra.parquet import Table
from streams.replay.snapshot.tables import APPEND_ONLY, SCHEMA, TABLES, position_column

KINDS = {
    "text": "text",
    "int": "int64",
    "money": "decimal",
    "instant": "timestamp (ms, UTC)",
    "day": "date in the shop's zone",
    "flag": "boolean",
    "number": "double",
    "json": "JSON as text",
}

BEFORE = """# Snapshots: the log as tables

<!-- generated from the tables by `make docs`; a test keeps it up to date -->

`regulars snapshot DIR` writes the log as Parquet files for DuckDB, pandas, Polars or any other reader of Parquet. It needs the
extra `analysis`: `pip install 'regulars[analysis]'`. The same position of the log gives the same bytes with the same pyarrow.

```
regulars snapshot tables
cd tables
duckdb regulars.duckdb "SELECT tier, count(*) FROM cards GROUP BY tier"
```

- `manifest.json` names the log, the position, the shop's instant, the zone and currency, and each file with its rows and
  SHA-256. It is written last: a folder without it is no snapshot. A full disk leaves nothing.
- `regulars.duckdb` and `views.sql` have a view a table, and `snapshot_info` with `position`, `instant`, `today`, `this_month`,
  `zone` and `currency`. The views read the working directory, or the folders that you name:
  `SET VARIABLE snapshots = ['tables'];`
- `--at POSITION` takes the first so many events. `--at TIME` takes those before the first event that is dated later; facts that
  came too late for it are left out, and the command says how many.
- `--since DIR` writes what came after another snapshot, and reads only that and the streams that it touched. The two are the
  whole: `SET VARIABLE snapshots = ['tables', 'since'];`, the oldest first. Of a row in both, the views take the one with the
  greatest `position`. Rows never vanish: they get a status.
- `shown` says when the same member or session clicked a product within 30 minutes after it was shown, put it in a cart within 7
  days, and paid for it within 7 days. It does not say that this came of the list. An event that is dated far ahead ends the
  waiting of the lists before it. `changed_position` is the position of the last change of a row.
- `model_quality` is empty without `--model-quality`, since a learner then learns the log anew. Its values are sums over
  `tests`; [read models](read-models.md#quality) explains scopes, lists and metrics.
- Check the files before you trust a sum: a flipped bit can change it without a word. `regulars report` and `--since` do.

Money is decimal with the digits of the currency. Columns marked † are personal, and empty unless you ask for them:

```
regulars snapshot letters --personal --reason "yearly letter"
```

- The log has `PersonalSnapshotTaken` before any file is written: who, the reason, the folder's name and the last position.
  It stays in the log if the disk then is full.
- The values of erased members are empty, also those that they gave before.
- **An erasure does not reach such files.** `regulars erase` lists every snapshot that was written with personal values. Delete
  those that are still kept, and their copies. Only you know where they went.
- No HTTP request takes such a snapshot, and no webhook tells of it.
- `--since` such a snapshot needs `--personal --reason`, too, and is recorded again.

## Pseudonyms

```
regulars snapshot tables --pseudonyms
```

- Each personal value is a keyed hash of 32 hexadecimal digits (HMAC-SHA-256). The same value of a column has the same hash in
  every snapshot, so you can count and join; a hash does not lead back to its value. Another spelling has another hash.
- The key is in the key store (`keys.db`). With it, the hash of a guessed value can be found: give it to nobody. New keys make
  new hashes; while the keys are lost, such a snapshot is refused.
- The values of erased members are empty. Files that were written before keep their hashes: delete them after an erasure.
- `--since` such a snapshot needs `--pseudonyms`, too.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield BEFORE
    yield f"This is version {SCHEMA} of the tables."
    for table in TABLES.values():
        yield from section(table)


def section(table: Table) -> Iterator[str]:
    """Yield the part of the page about one table."""
    yield ""
    yield f"## {table.name}"
    yield ""
    facts = [f"Key: {', '.join(f'`{name}`' for name in table.key)}."]
    if table.month_of:
        facts.append(f"Split by the month of `{table.month_of}`.")
    if table.name in APPEND_ONLY:
        facts.append("Its rows never change.")
    elif position_column(table) is None:
        facts.append("It is written whole each time.")
    yield " ".join(facts)
    yield ""
    yield "| column | type |"
    yield "|---|---|"
    for column in table.columns:
        yield f"| `{column.name}`{' †' * column.personal} | {KINDS[column.kind]} |"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - it is what this module is run for
