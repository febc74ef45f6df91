"""``regulars import shop-log``: any shop's history, from the JSON Lines file that ``docs/import-format.md`` describes."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeAlias
from zoneinfo import ZoneInfo

import click
import orjson
import redis
from eventsourcing.persistence import PersistenceError

from aggregates.currencies import digits
from aggregates.decider import Refusal
from infra.errors import Fault, Misconfigured
from infra.event_log.types import Shop
from infra.private_files import make_home
from infra.rejects_file import FOLDER, RejectedLine, RejectsFile, require_replaceable
from infra.settings import Settings, from_environment
from streams.cli.console import print_json, require_output, say
from streams.cli.progress import import_progress
from streams.commands.scheduler import latest, tick
from streams.imports.shop_log.archive import Damaged, raw_lines
from streams.imports.shop_log.importing import ImportCounts, ShopLogImport, batches
from streams.imports.shop_log.planning import Planner
from streams.imports.shop_log.reading import Reader, with_header
from streams.imports.shop_log.schema import schema
from streams.running.app import App, running
from streams.running.parallel_follower import open_follower
from streams.webhooks.quiet_import import import_handler

NO_WEBHOOKS = click.option("--no-webhooks", is_flag=True, help="Tell no webhook of what is imported.")

SHOWN = 20
"""Rejected lines that are printed, the first of them."""


@click.command("shop-log")
@click.argument("file", required=False)
@click.option("--schema", "show_schema", is_flag=True, help="Print the JSON Schema of a line, and do nothing else.")
@click.option("--timezone", "zone", metavar="ZONE", help="The zone of times without an offset, such as Europe/Paris.")
@click.option("--currency", metavar="CODE", help="The shop's currency (ISO 4217); a new log is kept in it.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where rejected lines go.")
@click.option("--without-models", is_flag=True, help="Log and views alone; `regulars follow` teaches the models later.")
@NO_WEBHOOKS
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def shop_log(
    file: str | None,
    show_schema: bool,
    zone: str | None,
    currency: str | None,
    rejects: Path | None,
    without_models: bool,
    no_webhooks: bool,
    as_json: bool,
) -> None:
    """Import FILE (JSON Lines, plain, .gz or .zst; - is standard input). Docs: docs/import-format.md."""
    if show_schema:
        require_output()
        click.echo(orjson.dumps(schema(), option=orjson.OPT_INDENT_2))
        return
    if file is None:
        raise click.UsageError("Name a FILE, or - for standard input.")
    settings = from_environment()
    with opened(file) as source:
        bad = place_of_rejects(file, source, rejects, settings.home)
        with outages(), started(source, settings, zone, currency) as (app, lines):
            ended = import_shop_log(
                app, ShopLogFile(source, lines, zone), bad, models=not without_models, webhooks=not no_webhooks
            )
    if as_json:
        print_outcome(ended.taken)
    else:
        report(ended)
    report_ignored(ended.ignored)
    report_rejected(ended, bad)
    if ended.damaged:
        say(f"regulars: {file}: {ended.damaged}")
    elif not ended.taken.lines:
        say(f"regulars: {file} holds no line.")
    sys.exit(2 if ended.damaged else ended.taken.status)


# The file, and the shop that its lines belong to

Lines: TypeAlias = Iterator[tuple[int, bytes]]


@dataclass(frozen=True)
class ShopLogFile:
    """A file to import. ``zone``: that of times without an offset."""

    file: BinaryIO
    lines: Lines
    zone: str | None


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """Open the file, or standard input for ``-``. Raises :class:`Misconfigured` if that is not possible."""
    if file == "-":
        if sys.stdin is None:  # it was closed before we began
            raise Misconfigured("There is no standard input to read: name a FILE.")
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            source = stack.enter_context(Path(file).open("rb"))
            source.peek(1)  # a directory opens, but cannot be read
        except (OSError, ValueError) as fault:
            raise Misconfigured(f"{file} cannot be read: {getattr(fault, 'strerror', None) or fault}.") from None
        yield source


def place_of_rejects(file: str, source: BinaryIO, chosen: Path | None, home: Path) -> Path:
    """Return where rejected lines go. Raises :class:`Misconfigured` if they would destroy another file."""
    if chosen is None:
        chosen = home / FOLDER / f"{'standard-input' if file == '-' else Path(file).name[-60:]}.jsonl"
    try:
        same = chosen.is_file() and os.path.samestat(os.fstat(source.fileno()), chosen.stat())
    except OSError:  # a source without a number is no file
        same = False
    if same:
        raise Misconfigured(f"{chosen} is the file to read: name another one for rejected lines.")
    require_replaceable(chosen, home)
    return chosen


@contextmanager
def started(file: BinaryIO, settings: Settings, zone: str | None, currency: str | None) -> Iterator[tuple[App, Lines]]:
    """Open the system of the shop that the options name, else the file's own header; yield it with the file's lines."""
    check_shop(zone, currency)
    try:
        header, lines = with_header(raw_lines(file))
    except Damaged as damaged:  # nothing could be read: raise it where the lines are read
        header, lines = None, fail(damaged)
    known = header or Shop(settings.zone, settings.currency)
    shop = Shop(zone or known.zone, currency or known.currency, known.digits if currency in (None, known.currency) else None)
    check_shop(shop.zone, shop.currency)
    make_home(settings.home)
    with running(replace(settings, zone=shop.zone, currency=shop.currency), shop if header else None) as app:
        mine = Shop(app.terms.zone, app.terms.currency)
        wanted = Shop(zone or mine.zone, currency or mine.currency)
        if wanted == mine or app.log.head():
            if wanted.currency != mine.currency:
                raise Misconfigured(f"This log is kept in {mine.currency}, not in {currency}: choose another REGULARS_HOME.")
            yield app, lines
            return
    with running(settings, wanted) as app:  # nothing is in the log yet, so it may still become another shop's
        yield app, lines


def fail(damaged: Damaged) -> Lines:
    """Raise when the first line is read."""
    raise damaged
    yield


def check_shop(zone: str | None, currency: str | None) -> None:
    """Raises :class:`Misconfigured` for a zone or currency that does not exist."""
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, LookupError):
            raise Misconfigured(f"There is no time zone {zone!r}: name one like Europe/Paris.") from None
    if currency is not None:
        try:
            digits(currency)
        except Refusal as refusal:
            raise Misconfigured(str(refusal)) from None


def size_of(source: BinaryIO) -> int | None:
    """Return the bytes of a file, None for a stream or a file that the kernel makes up as it is read."""
    try:
        return os.fstat(source.fileno()).st_size or None
    except OSError:  # a source without a number is no file
        return None


def place_in(source: BinaryIO) -> int:
    """Return how many bytes have been read, 0 for a stream."""
    return source.tell() if source.seekable() else 0


# The import


@dataclass(frozen=True)
class Ended:
    """The result of an import. ``rejects``: the first of them. ``left_out``: those that the rejects file had no room for.

    ``ignored``: fields that nothing reads.
    """

    taken: ImportCounts
    events: int
    seconds: float
    damaged: Damaged | None
    rejects: list[RejectedLine]
    left_out: int
    ignored: Counter[str]


class BrokenOff(Fault):
    """An import that could not go on; importing the same file again brings the rest."""


@contextmanager
def outages() -> Iterator[None]:
    """Raises :class:`BrokenOff` if a disk or a server fails inside; what was accepted stays."""
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of our output has gone away
    except (OSError, sqlite3.Error, PersistenceError, redis.exceptions.RedisError) as fault:
        raise BrokenOff(f"The import broke off ({fault}). What was accepted stays: import the same file again.") from fault


def import_shop_log(
    app: App, source: ShopLogFile, bad: Path, models: bool, quiet: bool = False, webhooks: bool = True
) -> Ended:
    """Import a file, with the views following as the log grows. ``bad``: where rejects go. ``quiet``: without progress.

    ``webhooks``: whether endpoints are told of it.
    """
    reader = Reader(app.terms.currency, source.zone, round(time.time() * 1000), app.terms.digits)
    damaged: Damaged | None = None
    first: list[RejectedLine] = []
    with ExitStack() as stack:
        handler = stack.enter_context(import_handler(app, webhooks))
        task = ShopLogImport(handler, app.log, reader, Planner(app.terms))
        follower = stack.enter_context(open_follower(app, models))
        shown = stack.enter_context(import_progress(app, "shop-log", size_of(source.file), quiet))
        shown.begin(follower.catch_up(shown.followed))
        rejected = stack.enter_context(RejectsFile(bad))
        try:
            for batch in batches(source.lines):
                rejects = task.take(batch)
                rejected.write(rejects)
                first += rejects[: SHOWN - len(first)]
                shown.read(place_in(source.file), f"{task.counts.lines:,} lines")
                shown.followed(follower.keep_up())
        except Damaged as fault:
            damaged = fault
        tick(app.log, handler, latest(app.log))
        follower.catch_up(shown.followed)
        return Ended(task.counts, shown.events, shown.seconds, damaged, first, rejected.left_out, reader.unknown_fields)


# What is printed


def print_outcome(taken: ImportCounts) -> None:
    """Print the outcome as JSON. Raises :class:`Misconfigured` if standard output cannot be written."""
    require_output()
    try:
        print_json(taken)
    except OSError as fault:
        raise Misconfigured(f"The outcome cannot be written to standard output: {fault.strerror or fault}.") from None


def report(ended: Ended) -> None:
    """Print what was counted on standard error."""
    taken = ended.taken
    rate = taken.lines / ended.seconds if ended.seconds else 0.0
    say(
        f"{taken.lines:,} lines: {taken.accepted:,} accepted, {taken.duplicates:,} known before, {taken.rejected:,} rejected; "
        f"{ended.events:,} events in {ended.seconds:.1f} s ({rate:,.0f} lines/s)"
    )
    if taken.late:
        say(f"  {taken.late:,} came late: they happened before a line above them")
    if taken.unpriced:
        say(f"  {taken.unpriced:,} lines of orders have no price: they count for the recommender alone")
    for code, count in taken.by_reason.most_common():
        say(f"  rejected {count:,} times: {code}")


def report_ignored(ignored: Counter[str]) -> None:
    """Print which fields were ignored, the most frequent first."""
    for name, count in ignored.most_common(10):
        say(f"  ignored {count:,} times: the field {name!r}")
    if len(ignored) > 10:
        say(f"  and {len(ignored) - 10:,} other fields")


def report_rejected(ended: Ended, bad: Path) -> None:
    """Print the first rejected lines, each with its reason, and where the others are."""
    for reject in ended.rejects:
        say(f"line {reject.line}: {reject.code}: {reject.reason}")
    if ended.rejects:
        more = ended.taken.rejected - len(ended.rejects)
        if ended.left_out:
            say(f"{f'and {more:,} more; ' if more else ''}{bad} has no room for the last {ended.left_out:,} of them")
        else:
            say(f"{f'and {more:,} more; ' if more else ''}all rejected lines are in {bad}")
