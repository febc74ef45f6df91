"""``regulars report``: questions about the shop, answered by SQL over a snapshot."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from infra.settings import from_environment
from streams.cli.console import AS_JSON, CommandFailed, grid, print_json, require_output, say, show_parts
from streams.cli.model import write_file
from streams.cli.snapshot import position_of, require_analysis
from streams.running.app import running

if TYPE_CHECKING:
    from streams.replay.reports.report import Report, Result


@click.command()
@click.argument("name", required=False)
@click.option(
    "--snapshot", "folders", multiple=True, type=click.Path(path_type=Path), help="Of this folder; a base comes first."
)
@click.option("--list", "listing", is_flag=True, help="Show which reports there are.")
@click.option("--all", "everything", is_flag=True, help="All reports, as a site in the folder of --out.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The folder of the site; it must not exist.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with charts, too.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@AS_JSON
def report(
    name: str | None, folders: tuple[Path, ...], listing: bool, everything: bool, out: Path | None, html: Path | None,
    as_csv: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show the report NAME, or that of a SQL file of yours, over a snapshot.

    Without --snapshot, one of all that happened so far is made for it and removed again. Amounts are decimals, also in JSON.
    """
    require_analysis()
    from streams.replay.reports.report import page, reports

    if listing:
        show_list(list(reports().values()), as_json)
        return
    if everything == bool(name) or everything != bool(out) or (everything and (html or as_csv or as_json)):
        raise click.UsageError("Name one report, or give --all with --out DIR; --list shows which reports there are.")
    chosen = list(reports().values()) if everything else [chosen_report(str(name))]
    if out is not None and out.exists():
        raise CommandFailed(f"{out} exists: name a new folder, or remove that one first.")
    results = results_of(chosen, folders)
    if out is not None:
        write_site(out, results)
        return
    if html is not None:
        write_file(html, page(results[0]))
    show_result(results[0], as_csv, as_json)


def chosen_report(name: str) -> Report:
    """Return a report by its name, or by the path of its SQL file."""
    from streams.replay.reports.report import read_report, reports

    if name.endswith(".sql"):
        return read_report(Path(name))
    if name not in reports():
        raise CommandFailed(f"There is no report {name}: {', '.join(reports())}, or the path of a file that ends with .sql.")
    return reports()[name]


def results_of(chosen: list[Report], folders: tuple[Path, ...]) -> list[Result]:
    """Return what the reports find in a snapshot."""
    from streams.replay.reports.report import Snapshot

    with snapshot_folders(folders) as found:
        snapshot = Snapshot(found)
        return [snapshot.run(one) for one in chosen]


@contextmanager
def snapshot_folders(folders: tuple[Path, ...]) -> Iterator[tuple[Path, ...]]:
    """Yield the folders that are given; if none is, that of a new snapshot, which goes with the block."""
    from streams.replay.snapshot.files import SnapshotRequest, write_snapshot

    if folders:
        yield folders
        return
    with TemporaryDirectory(prefix="regulars-") as where:
        made = Path(where) / "snapshot"
        with running(from_environment()) as app:
            write_snapshot(app, made, SnapshotRequest(position_of(app, None)))
        yield (made,)


def show_list(found: list[Report], as_json: bool) -> None:
    """Print name, title and meaning of each report."""
    if as_json:
        print_json([{"name": one.name, "title": one.title, "meaning": one.meaning} for one in found])
        return
    rows = ((one.name, one.title, one.meaning) for one in found)
    show_parts(grid("Reports", ("name", "title", "what it shows"), rows, wraps=(1, 2)))


def show_result(result: Result, as_csv: bool, as_json: bool) -> None:
    """Print a result as a table of its first rows, or all of it as CSV or JSON."""
    from streams.replay.reports.report import MOST_ROWS

    if as_json:
        rows = [{name: exact(value) for name, value in record.items()} for record in result.records()]
        print_json({"report": result.report.name, "position": result.position, "rows": rows})
    elif as_csv:
        require_output()
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([result.columns, *result.rows])
        click.echo(text.getvalue(), nl=False)
    else:
        numbers = [
            n for n in range(len(result.columns)) if any(isinstance(row[n], int | float | Decimal) for row in result.rows)
        ]
        shown = (map(cell, row) for row in result.rows[:MOST_ROWS])
        show_parts(grid(result.report.title, [name.replace("_", " ") for name in result.columns], shown, numbers=numbers))
        say(f"{result.report.meaning} As of position {result.position:,}.")
        if len(result.rows) > MOST_ROWS:
            say(f"The first {MOST_ROWS:,} of {len(result.rows):,} rows; --csv and --json have all.")


def exact(value: Any) -> Any:
    """Return a value for JSON: a decimal as text, since a number there is a double to many readers."""
    return str(value) if isinstance(value, Decimal) else value


def cell(value: Any) -> str:
    """Return a value for a table: four decimals of a share, two of an average."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4f}" if abs(value) <= 1 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int | Decimal) else str(value)


def write_site(out: Path, results: list[Result]) -> None:
    """Write all pages into a new folder; nothing is left of it if that is not possible."""
    from streams.replay.reports.report import site

    out.mkdir(parents=True)
    try:
        for name, text in site(results):
            write_file(out / name, text)
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise
    say(f"{out / 'index.html'}: {len(results)} reports.")
