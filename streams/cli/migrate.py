"""``regulars migrate`` and ``regulars log copy``: the database that the log is kept in, and another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from infra.errors import Misconfigured
from infra.event_log.copying import PostgresSource, PostgresTarget, Source, SqliteSource, SqliteTarget, Target, copy_tables
from infra.postgres.connection import SCHEMES, check_url, redact_url
from infra.settings import Settings, from_environment
from streams.cli.console import ERR, OUT, grid
from streams.running.app import log_url, migrate_tables


@click.command()
def migrate() -> None:
    """Bring the tables in PostgreSQL, of the log and of the keys, to this version. As often as you like."""
    settings = from_environment()
    url = log_url(settings)
    if url is None:
        OUT.print(f"The log of {settings.home} is a SQLite file: it needs no migration.")
        return
    for done in migrate_tables(settings, url):
        how = "are" if done.before == done.after else f"were of version {done.before}, now they are"
        OUT.print(f"The tables of {done.what} at {done.where} {how} of version {done.after}.", soft_wrap=True)


@click.group()
def log() -> None:
    """Work on the log as a whole."""


@log.command("copy")
@click.argument("source")
@click.argument("target")
@click.option("--source-keys", metavar="URL", help="The source's keys, if they are in another database than its log.")
@click.option("--target-keys", metavar="URL", help="Where the keys go, if not to the database of the log.")
def copy_log(source: str, target: str, source_keys: str | None, target_keys: str | None) -> None:
    """Copy a log and its keys from SOURCE into TARGET, which must be empty: each a home or a postgresql:// URL.

    TARGET is whole at the end or as it was before; a copy that was killed is begun again.
    """
    begin, end = source_of(source, source_keys), target_of(target, target_keys)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True) as bar:
        shown_task = bar.add_task("copying")
        copied = copy_tables(
            begin, end, lambda table, at, of: bar.update(shown_task, description=table, completed=at, total=of)
        )
    OUT.print(grid("Copied", ("table", "rows"), ((table, f"{rows:,}") for table, rows in copied.items()), numbers=(1,)))


def source_of(place: str, keys: str | None) -> Source:
    settings = place_of(place, keys, "SOURCE")
    if url := log_url(settings):
        return PostgresSource(url, settings.keys_database_url)
    return SqliteSource(settings.log, settings.keys)


def target_of(place: str, keys: str | None) -> Target:
    settings = place_of(place, keys, "TARGET")
    if url := log_url(settings):
        for _ in migrate_tables(settings, url):
            pass
        return PostgresTarget(url, settings.keys_database_url)
    return SqliteTarget(settings.log, settings.keys)


def place_of(place: str, keys: str | None, what: str) -> Settings:
    """A home, or the URL of a database, as settings. Raises :class:`Misconfigured` if it is neither."""
    keys_url = check_url(keys, f"--{what.lower()}-keys") if keys else None
    if place.startswith(SCHEMES):
        return Settings(Path(), database_url=check_url(place, what), keys_database_url=keys_url)
    if "://" in place:
        raise Misconfigured(f"{what} is {redact_url(place)}; it must be a home's path or begin with postgresql://.")
    settings = Settings(Path(place).expanduser().resolve())
    if keys_url and not settings.postgres.exists():
        raise Misconfigured(f"The keys of a SQLite log are beside it: --{what.lower()}-keys is for PostgreSQL.")
    return replace(settings, keys_database_url=keys_url)
