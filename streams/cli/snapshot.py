"""``regulars snapshot``: the log as tables for analysts."""

from __future__ import annotations

from pathlib import Path

import click

from infra.errors import Missing
from infra.settings import from_environment
from streams.cli.console import AS_JSON, Problem, grid, print_json, say, show_parts
from streams.cli.progress import progress
from streams.running.app import running


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--at", "position", metavar="POSITION", type=click.IntRange(1), help="Only the first so many events of the log.")
@click.option("--since", type=click.Path(path_type=Path, exists=True), help="Only what came after this snapshot.")
@click.option("--personal", is_flag=True, help="With names, e-mail addresses, birthdays, searches and reviews.")
@AS_JSON
def snapshot(folder: Path, position: int | None, since: Path | None, personal: bool, as_json: bool) -> None:
    """Write the log into FOLDER as Parquet tables, with a manifest and a DuckDB file of ready views.

    The same position gives the same bytes. With --since, that snapshot and this one together are the whole: of a row that is in
    both, the one with the greater `position` counts.
    """
    try:
        from streams.replay.snapshot import Wanted, write_snapshot
    except ImportError as fault:
        raise Missing(
            f"Snapshots need the extra `analysis` ({fault.name} is not installed): pip install 'regulars[analysis]'."
        ) from None
    with running(from_environment()) as app:
        head = app.log.head()
        if position is not None and position > head:
            raise Problem(f"The log ends at {head:,}.")
        wanted = Wanted(position or head, since, personal)
        with progress(transient=True) as bars:
            task = bars.add("reading the log", wanted.position)
            manifest = write_snapshot(app, folder, wanted, lambda reached: bars.update(task, reached))
    if as_json:
        print_json(manifest)
        return
    rows: dict[str, int] = {}
    for name, file in manifest["files"].items():
        table = name.partition("/")[0].removesuffix(".parquet")
        rows[table] = rows.get(table, 0) + file["rows"]
    show_parts(grid(f"Snapshot at {manifest['position']:,}", ("table", "rows"), ((n, f"{c:,}") for n, c in rows.items()), (1,)))
    say(f"{folder}: open regulars.duckdb there, or read the files.")
