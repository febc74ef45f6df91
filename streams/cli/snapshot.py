"""``regulars snapshot``: the log as tables for analysts."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from infra.errors import NotInstalled
from infra.settings import from_environment
from streams.cli.console import AS_JSON, CommandFailed, grid, print_json, say, show_parts
from streams.cli.formatting import read_instant
from streams.cli.progress import progress
from streams.queries.clock import clock_of
from streams.replay.past.places import place_of, position_in
from streams.running.app import App, running
from streams.web.acts import console_actor


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--at", "wanted_at", metavar="POSITION|TIME", help="As of so many events of the log, or of an instant in ISO 8601."
)
@click.option("--since", type=click.Path(path_type=Path), help="Only what came after this snapshot.")
@click.option(
    "--model-quality",
    is_flag=True,
    help="With the table model_quality: a learner learns the log anew, which takes much longer.",
)
@click.option("--personal", is_flag=True, help="With personal values; who took them, and why, is recorded in the log first.")
@click.option("--reason", metavar="TEXT", help="With --personal: why. Name no member in it, for it cannot be erased.")
@click.option(
    "--pseudonyms",
    is_flag=True,
    help="With a keyed hash in place of each personal value; the key is in the key store, and is the same each time.",
)
@AS_JSON
def snapshot(
    folder: Path,
    wanted_at: str | None,
    since: Path | None,
    model_quality: bool,
    personal: bool,
    reason: str | None,
    pseudonyms: bool,
    as_json: bool,
) -> None:
    """Write the log into FOLDER as Parquet tables, with a manifest and a DuckDB file of ready views.

    The same position gives the same bytes. With --since, that snapshot and this one together are the whole: of a row that is in
    both, the one with the greater `position` counts. An instant means the position before the first event dated later.
    """
    if personal != (reason is not None):
        raise click.UsageError("--personal and --reason TEXT go together: the log records why personal values were taken.")
    if personal and pseudonyms:
        raise click.UsageError("Choose --personal or --pseudonyms.")
    require_analysis()
    from streams.replay.snapshot.files import PersonalAccess, SnapshotRequest, write_snapshot

    with running(from_environment()) as app:
        access = None if reason is None else PersonalAccess(console_actor(), reason, clock_of(app)())
        wanted = SnapshotRequest(position_of(app, wanted_at), since, model_quality, access, pseudonyms)
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
    if personal:
        say("It has personal values: an erasure does not reach it. Delete it as soon as you can.")
    say(f"{folder}: open regulars.duckdb there, or read the files.")


def require_analysis() -> None:
    """Raises :class:`NotInstalled` if the libraries of the extra ``analysis`` are not installed."""
    for name in ("pyarrow", "duckdb"):
        if find_spec(name) is None:
            raise NotInstalled(f"This needs the extra `analysis` ({name} is not installed): pip install 'regulars[analysis]'.")


def position_of(app: App, wanted: str | None) -> int:
    """Return the position that ``--at`` names, the head if it names none; say how many facts came too late for an instant."""
    head = app.log.head()
    if not head:
        raise CommandFailed("The log is empty: import something first.")
    if wanted is None:
        return head
    if (number := position_in(wanted)) is not None:
        if not 0 < number <= head:
            raise CommandFailed(f"The log has the positions 1 to {head:,}, and no {number:,}.")
        return number
    place = place_of(app.log, read_instant(wanted, app.terms.zone))
    if not place.position:
        raise CommandFailed(f"Nothing had happened by {wanted}.")
    say(f"{wanted} is position {place.position:,}; {place.late:,} facts dated earlier were recorded later and are left out.")
    return place.position
