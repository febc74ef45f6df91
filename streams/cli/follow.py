"""``regulars follow`` keeps the read models up to date; ``regulars tick`` records what has become due."""

from __future__ import annotations

import signal
import threading
from contextlib import closing

import click

from infra.settings import from_environment
from infra.telemetry.traces import configure_traces
from streams.cli.console import AS_JSON, print_json, say
from streams.cli.formatting import format_instant, read_instant
from streams.cli.progress import progress
from streams.commands.scheduler import tick, ticking
from streams.kafka.local_cluster import EVERY
from streams.projecting.follower import Follower
from streams.queries.clock import clock_of
from streams.running.app import App, running
from streams.running.parallel_follower import ParallelFollower


@click.command()
@click.option("--once", is_flag=True, help="Stop at the head of the log.")
def follow(once: bool) -> None:
    """Bring every fold up to the head of the log, and keep it there until Ctrl-C."""
    settings = from_environment()
    configure_traces(settings.telemetry, "follow")
    with running(settings) as app:
        head = app.log.head()
        with progress(transient=True) as writer, closing(ParallelFollower(app)) as follower:
            task = writer.add("read models", total=head)
            follower.catch_up(lambda position: writer.update(task, position, f"{position:,} of {head:,} events"))
        say(f"All folds are at {head:,}.")
        if not once:
            say("Following the log, with a tick every minute; Ctrl-C ends it.")
            follow_and_tick(app, app.follower())


def follow_and_tick(app: App, follower: Follower) -> None:
    """Follow the log until the process ends. A second thread ticks: its events go into the log and come back from there."""
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


@click.command("tick")
@click.option("--at", metavar="TIME", help="ISO 8601; without an offset, the shop's own time. Default: by REGULARS_CLOCK.")
@click.option("--every", type=click.FloatRange(1), metavar="SECONDS", help="Tick so often, until Ctrl-C.")
@AS_JSON
def record_due(at: str | None, every: float | None, as_json: bool) -> None:
    """Record what is due: reviews of tiers, ends of grace, overrides and holds, and points that expire or pay a debt."""
    if every and (at or as_json):
        raise click.UsageError("--at and --json are for a single tick: leave out --every.")
    with running(from_environment()) as app:
        clock = clock_of(app)
        now = clock() if at is None else read_instant(at, app.terms.zone)
        if every:
            stopped = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopped.set())
            ticking(app.log, app.handler, clock, every, stopped)
            return
        with progress(transient=True) as writer:
            writer.add("tick")
            done = tick(app.log, app.handler, now)
        if as_json:
            print_json({"at": now, "members": done.streams, "events": done.events})
        else:
            as_of = format_instant(now, app.terms)
            say(f"As of {as_of}: {done.events:,} events, for {done.streams:,} members with something due.")
