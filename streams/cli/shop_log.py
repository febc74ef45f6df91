"""``regulars import shop-log``: any shop's history, from the JSON Lines file that ``docs/import-format.md`` describes."""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click
import orjson
from rich.console import Console

from infra.settings import from_environment
from streams.cli.import_bars import import_bars
from streams.cli.shop_log_file import Source, aside, opened, place_in, size_of, started
from streams.cli.shop_log_outage import outages, tell
from streams.commands.scheduler import latest, tick
from streams.imports.shop_log.archive import Damaged
from streams.imports.shop_log.importing import ImportCounts, ShopLogImport, batches
from streams.imports.shop_log.planning import Planner
from streams.imports.shop_log.reading import Reader
from streams.imports.shop_log.rejects import RejectedLine, RejectsFile
from streams.imports.shop_log.schema import schema
from streams.running.app import App
from streams.running.elastic_follower import keeping_up

SHOWN = 20
"""Rejected lines that are said, the first of them."""


@click.command("shop-log")
@click.argument("file", required=False)
@click.option("--schema", "show_schema", is_flag=True, help="Print the JSON Schema of a line, and do nothing else.")
@click.option("--timezone", "zone", metavar="ZONE", help="The zone of times without an offset, such as Europe/Paris.")
@click.option("--currency", metavar="CODE", help="The shop's currency (ISO 4217); a new log is kept in it.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where rejected lines go.")
@click.option("--without-models", is_flag=True, help="Log and views alone; `regulars follow` teaches the models later.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def shop_log(
    file: str | None,
    show_schema: bool,
    zone: str | None,
    currency: str | None,
    rejects: Path | None,
    without_models: bool,
    as_json: bool,
) -> None:
    """Import FILE (JSON Lines, plain, .gz or .zst; - is standard input). Docs: docs/import-format.md."""
    if show_schema:
        click.echo(orjson.dumps(schema(), option=orjson.OPT_INDENT_2))
        return
    if file is None:
        raise click.UsageError("Name a FILE, or - for standard input.")
    console, settings = Console(stderr=True, markup=False, highlight=False, emoji=False), from_environment()
    with opened(file) as source:
        bad = aside(file, source, rejects, settings.home)
        with outages(), started(source, settings, zone, currency) as (app, lines):
            ended = import_shop_log(app, Source(source, lines, zone), bad, console, models=not without_models)
    if as_json:
        tell(ended.taken)
    else:
        say(console, ended)
    say_ignored(console, ended.ignored)
    say_rejected(console, ended, bad)
    if ended.damaged:
        click.echo(f"regulars: {file}: {ended.damaged}", err=True)
    elif not ended.taken.lines:
        click.echo(f"regulars: {file} holds no line.", err=True)
    sys.exit(2 if ended.damaged else ended.taken.status)


@dataclass(frozen=True)
class Ended:
    taken: ImportCounts
    events: int
    seconds: float
    damaged: Damaged | None
    rejects: list[RejectedLine]  # the first of them
    ignored: Counter[str]  # fields that nothing reads


def import_shop_log(app: App, source: Source, bad: Path, console: Console, models: bool) -> Ended:
    """Import with progress bars, the views following as the log grows."""
    reader = Reader(app.terms.currency, source.zone, now=round(time.time() * 1000))
    task = ShopLogImport(app.handler, app.log, reader, Planner(app.terms))
    damaged: Damaged | None = None
    first: list[RejectedLine] = []
    with ExitStack() as stack:
        follower = stack.enter_context(keeping_up(app, models))
        bars = stack.enter_context(import_bars(app, console, "shop-log", size_of(source.file)))
        bars.begin(follower.catch_up(bars.followed))
        rejected = stack.enter_context(RejectsFile(bad))
        try:
            for batch in batches(source.lines):
                rejects = task.take(batch)
                rejected.write(rejects)
                first += rejects[: SHOWN - len(first)]
                bars.read(place_in(source.file), f"{task.counts.lines:,} lines")
                bars.followed(follower.keep_up())
        except Damaged as fault:
            damaged = fault
        tick(app.log, app.handler, latest(app.log))
        follower.catch_up(bars.followed)
        return Ended(task.counts, bars.events, bars.seconds, damaged, first, reader.unknown_fields)


def say(console: Console, ended: Ended) -> None:
    taken = ended.taken
    rate = taken.lines / ended.seconds if ended.seconds else 0.0
    console.print(
        f"{taken.lines:,} lines: {taken.accepted:,} accepted, {taken.duplicates:,} known before, {taken.rejected:,} rejected; "
        f"{ended.events:,} events in {ended.seconds:.1f} s ({rate:,.0f} lines/s)"
    )
    if taken.late:
        console.print(f"  {taken.late:,} came late: they happened before a line above them")
    if taken.unpriced:
        console.print(f"  {taken.unpriced:,} lines of orders have no price: they count for the recommender alone")
    for code, count in taken.by_reason.most_common():
        console.print(f"  rejected {count:,} times: {code}")


def say_ignored(console: Console, ignored: Counter[str]) -> None:
    for name, count in ignored.most_common(10):
        console.print(f"  ignored {count:,} times: the field {name!r}", soft_wrap=True)
    if len(ignored) > 10:
        console.print(f"  and {len(ignored) - 10:,} other fields")


def say_rejected(console: Console, ended: Ended, bad: Path) -> None:
    for reject in ended.rejects:
        console.print(f"line {reject.line}: {reject.code}: {reject.reason}", soft_wrap=True)
    if ended.rejects:
        more = ended.taken.rejected - len(ended.rejects)
        console.print(f"{f'and {more:,} more; ' if more else ''}all rejected lines are in {bad}", soft_wrap=True)
