"""``regulars digest``, ``follow``, ``redis`` and ``stop``: what does it hold, and is it up to date?"""

from __future__ import annotations

import threading
import time
from contextlib import closing

import click
import orjson
from redis.exceptions import ResponseError

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis
from infra.errors import Unreachable
from infra.redis.digest import digests
from infra.settings import Settings, from_environment
from streams.cli.console import ERR
from streams.cli.tick import clock_of
from streams.commands.scheduler import ticking
from streams.kafka.local_cluster import EVERY
from streams.projecting.follower import Follower
from streams.registry import fold_of_part
from streams.running.app import App, connected, running
from streams.running.parallel_follower import ParallelFollower
from streams.running.positions import FoldPosition, fold_positions


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--wait", type=click.FloatRange(0), default=0.0, help="Seconds to wait for folds that are behind the log.")
def digest(as_json: bool, wait: float) -> None:
    """A line for each fold: how many entries it has and a hash of them. Exit status 3 if a fold is behind the log."""
    with running(from_environment()) as app:
        behind = waited(app, wait)
        found = digests(app.views, fold_of_part(app.terms))
    if as_json:
        click.echo(orjson.dumps({fold: {"entries": d.entries, "hash": d.hash} for fold, d in found.items()}))
    else:
        for fold, made in found.items():
            click.echo(f"{fold:<12} {made.entries:>9,} {made.hash}")
    if behind:
        names = ", ".join(dict.fromkeys(standing.fold.partition(".")[0] for standing in behind))
        most = max(standing.behind for standing in behind)
        ERR.print(f"Up to {most:,} events behind the log: {names}; {REMEDY[app.feed]}.")
        raise SystemExit(3)


REMEDY = {"log": "run `regulars follow --once` first", "topics": "is the relay running, and a worker? `--wait` waits for them"}


def waited(app: App, seconds: float) -> list[FoldPosition]:
    """The folds that are behind even after so many seconds."""
    until = time.monotonic() + seconds
    while (behind := [standing for standing in fold_positions(app) if standing.behind]) and time.monotonic() < until:
        time.sleep(0.1)
    return behind


@click.command()
@click.option("--once", is_flag=True, help="Stop at the head of the log.")
def follow(once: bool) -> None:
    """Bring every fold up to the log, and keep it there."""
    with running(from_environment()) as app:
        head = app.log.head()
        with ERR.status("following") as status:
            with closing(ParallelFollower(app)) as follower:
                follower.catch_up(lambda position: status.update(f"{position:,} of {head:,} events"))
            if not once:
                status.update("following and ticking; Ctrl-C ends it")
                follow_and_tick(app, app.follower())
    ERR.print(f"All folds are at {head:,}.")


def follow_and_tick(app: App, follower: Follower) -> None:
    """Until the process ends: a tick goes into the log like anything else, and comes back from there."""
    stopped = threading.Event()
    beside = threading.Thread(
        target=ticking, args=(app.log, app.handler, clock_of(app), EVERY, stopped), name="tick", daemon=True
    )
    beside.start()
    try:
        follower.follow(stopped)
    finally:
        stopped.set()
        beside.join()


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
    stopped, faults = list[str](), list[str]()
    for name, server in servers.items():
        try:
            stopped += [name] if server.stop() else []
        except Unreachable as fault:  # the others are to stop all the same
            faults.append(str(fault))
    for name in stopped:
        ERR.print(f"The {name} has stopped.")
    if faults:
        raise Unreachable(" ".join(faults))
    if not stopped:
        ERR.print("No server of this home runs.")
