"""The views over a snapshot's files: a table each, of every row its latest state, and what the snapshot is of."""

from __future__ import annotations

from typing import Any

from infra.parquet import Table
from streams.replay.snapshot.tables import APPEND_ONLY, TABLES, position_column

FOLDERS = "coalesce(getvariable('snapshots'), ['.'])"
"""The folders in DuckDB: those of the variable ``snapshots``, the oldest first; without it, the working directory."""

INFO = "snapshot_info"


def views_sql(manifest: dict[str, Any], today: int) -> str:
    """Return the statements that create a view for each table, and :data:`INFO`. ``today``: in days since 1970.

    A snapshot that continues another needs both folders: ``SET VARIABLE snapshots = ['base', 'since']``.
    """
    views = [f"CREATE OR REPLACE VIEW {name} AS {_query(table)};\n" for name, table in TABLES.items()]
    return "".join([*views, _info(manifest, today)])


def _query(table: Table) -> str:
    position = position_column(table)
    pattern = f"{table.name}/*/*.parquet" if table.month_of else f"{table.name}.parquet"
    folders = FOLDERS if position else f"{FOLDERS}[-1:]"  # without positions a table is written whole each time
    files = f"list_transform({folders}, lambda folder: folder || '/{pattern}')"
    query = f"SELECT * FROM read_parquet({files}, hive_partitioning = false)"  # noqa: S608 - our own names
    if position is None or table.name in APPEND_ONLY:
        return query
    kept = ""
    if table.name == "cards":
        kept = " WHERE member NOT IN (SELECT member FROM members WHERE status = 'erased')"
    latest = f"row_number() OVER (PARTITION BY {', '.join(table.key)} ORDER BY {position} DESC) = 1"
    return f"{query}{kept} QUALIFY {latest}"


def _info(manifest: dict[str, Any], today: int) -> str:
    columns = (
        f"{int(manifest['position'])}::BIGINT AS position",
        f"make_timestamptz({int(manifest['instant'])}000) AS instant",
        f"(DATE '1970-01-01' + {int(today)}) AS today",
        f"date_trunc('month', DATE '1970-01-01' + {int(today)})::DATE AS this_month",
        f"'{manifest['zone']}' AS zone",
        f"'{manifest['currency']}' AS currency",
    )
    return f"CREATE OR REPLACE VIEW {INFO} AS SELECT {', '.join(columns)};\n"
