"""The servers and databases of a home: ``regulars redis``, ``stop``, ``migrate`` and ``log``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import click
from redis.exceptions import ResponseError

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis
from infra.errors import Misconfigured, Unreachable
from infra.event_log.copying import CopySource, PostgresSource, PostgresTarget, SqliteSource, SqliteTarget, Target, copy_tables
from infra.postgres.connection import SCHEMES, check_url, redact_url
from infra.settings import Settings, from_environment
from streams.cli.console import AS_JSON, CommandFailed, echo, grid, print_json, say, show_parts
from streams.cli.groups import CommandGroup
from streams.cli.progress import progress
from streams.commands.limit_rows import rebuild
from streams.running.app import connected, log_url, migrate_tables, open_log


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
def redis(words: tuple[str, ...]) -> None:
    """Send a command to the Redis of this home, as redis-cli would: regulars redis GET v1:card:42."""
    with connected(from_environment()) as views:
        connection = views.client.connection_pool.get_connection()
        try:
            connection.send_command(*words)  # type: ignore[no-untyped-call]
            answer = connection.read_response()
        except ResponseError as fault:
            raise CommandFailed(f"Redis refuses: {fault}") from None
        finally:
            views.client.connection_pool.release(connection)
    for line in answer_lines(answer):
        echo(line)


def answer_lines(answer: object) -> Iterator[str]:
    """Yield an answer of Redis as lines of text, as redis-cli prints it into a pipe; lists have a line for each part.

    >>> list(answer_lines([b"a", 1, None, [b"b"]])), list(answer_lines(b"# Server\\r\\nredis_version:9\\r\\n"))
    (['a', '1', '(nil)', 'b'], ['# Server', 'redis_version:9'])
    """
    match answer:
        case bytes():
            yield from answer.decode(errors="backslashreplace").removesuffix("\r\n").replace("\r\n", "\n").split("\n")
        case None:
            yield "(nil)"
        case dict():
            yield from (line for pair in answer.items() for part in pair for line in answer_lines(part))
        case list() | tuple() | set():
            yield from (line for part in answer for line in answer_lines(part))
        case float() if answer.is_integer():
            yield str(int(answer))
        case _:
            yield str(answer)


@click.command()
def stop() -> None:
    """Stop the embedded servers of this home; their data stays."""
    settings: Settings = from_environment()
    servers: dict[str, EmbeddedRedis | EmbeddedKafka | EmbeddedPostgres] = {
        "embedded Redis": EmbeddedRedis(settings.valkey),
        "embedded Kafka": EmbeddedKafka(settings.broker, settings.jars),
        "packaged PostgreSQL": EmbeddedPostgres(settings.postgres),
    }
    stopped, faults = list[str](), list[str]()
    for name, server in servers.items():
        try:
            stopped += [name] if server.stop() else []
        except Unreachable as fault:  # one that does not stop must not keep the others running
            faults.append(str(fault))
    for name in stopped:
        say(f"The {name} has stopped.")
    if faults:
        raise Unreachable(" ".join(faults))
    if not stopped:
        say("No servers are running for this home.")


@click.command()
@AS_JSON
def migrate(as_json: bool) -> None:
    """Bring the tables of the log and of the keys in PostgreSQL to this version. It may be repeated."""
    settings = from_environment()
    url = log_url(settings)
    done = list(migrate_tables(settings, url)) if url else []
    if as_json:
        print_json(done)
        return
    if url is None:
        say(f"The log of {settings.home} is a SQLite file: it needs no migration.")
    for one in done:
        how = "are" if one.before == one.after else f"were of version {one.before}, now they are"
        say(f"The tables of {one.what} at {one.where} {how} of version {one.after}.")


@click.group(cls=CommandGroup)
def log() -> None:
    """Work on the log as a whole."""


@log.command("copy")
@click.argument("source")
@click.argument("target")
@click.option("--source-keys", metavar="URL", help="The source's keys, if they are in another database than its log.")
@click.option("--target-keys", metavar="URL", help="Where the keys go, if not to the database of the log.")
@AS_JSON
def copy_log(source: str, target: str, source_keys: str | None, target_keys: str | None, as_json: bool) -> None:
    """Copy a log and its keys from SOURCE into TARGET, which must be empty: each is a home or a postgresql:// URL.

    At the end TARGET is complete or as it was before. If the copy is killed, start it again.
    """
    begin, end = source_of(source, source_keys), target_of(target, target_keys)
    with progress(transient=True) as writer:
        task = writer.add("copying")
        copied = copy_tables(
            begin, end, lambda table, at, of: writer.update(task, at, f"{at:,} of {of:,} rows", total=of, what=table)
        )
    if as_json:
        print_json(copied)
    else:
        show_parts(grid("Copied", ("table", "rows"), ((table, f"{rows:,}") for table, rows in copied.items()), numbers=(1,)))


@log.command("new-keys")
def new_keys() -> None:
    """Make new keys for a log whose keys are lost for good. Personal values sealed so far stay blank for ever."""
    with open_log(from_environment()) as (events, keys):
        keys.belong_to(events.identity(), has_events=events.head() > 0)
        if keys.problem is None:
            say("The keys of this log are there: nothing was changed.")
            return
        keys.replace(events.identity())
    say("There are new keys. Personal values of before stay blank.")


@log.command("rebuild-limits")
@AS_JSON
def rebuild_limits(as_json: bool) -> None:
    """Write the rows of limits, holds and stock anew from the log. Shows each row that had differed."""
    with open_log(from_environment()) as (events, keys):
        found = rebuild(events, keys)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    say(f"{len(found)} rows had differed." if found else "All rows were as the log says.")
    if found:
        rows = ((one.key, one.holder or "", str(one.was or ""), str(one.is_now or "")) for one in found)
        show_parts(grid("Rows", ("key", "holder", "was", "is now"), rows))


def source_of(place: str, keys: str | None) -> CopySource:
    """Return the log to copy. Raises :class:`Misconfigured` if ``place`` is neither a home nor the URL of a database."""
    settings = settings_of(place, keys, "SOURCE")
    if url := log_url(settings):
        return PostgresSource(url, settings.keys_database_url)
    return SqliteSource(settings.log, settings.keys)


def target_of(place: str, keys: str | None) -> Target:
    """Return where the copy goes, with its tables made. Raises :class:`Misconfigured` like :func:`source_of`."""
    settings = settings_of(place, keys, "TARGET")
    if url := log_url(settings):
        for _ in migrate_tables(settings, url):
            pass
        return PostgresTarget(url, settings.keys_database_url)
    return SqliteTarget(settings.log, settings.keys)


def settings_of(place: str, keys: str | None, what: str) -> Settings:
    """Return the settings of a home, or of the URL of a database. Raises :class:`Misconfigured` if ``place`` is neither."""
    keys_url = check_url(keys, f"--{what.lower()}-keys") if keys else None
    if place.startswith(SCHEMES):
        return Settings(Path(), database_url=check_url(place, what), keys_database_url=keys_url)
    if "://" in place:
        raise Misconfigured(f"{what} is {redact_url(place)}; it must be a home's path or begin with postgresql://.")
    settings = Settings(Path(place).expanduser().resolve())
    if keys_url and not settings.postgres.exists():
        raise Misconfigured(f"The keys of a SQLite log are beside it: --{what.lower()}-keys is for PostgreSQL.")
    return replace(settings, keys_database_url=keys_url)
