"""``regulars tick``: record what time has brought, once or every so often."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from aggregates.decider import LATEST_INSTANT
from infra.settings import from_environment
from streams.cli.console import ERR, instant
from streams.commands.scheduler import latest, tick, ticking
from streams.running.app import App, running


@click.command("tick")
@click.option("--at", metavar="TIME", help="ISO 8601; without an offset, the shop's own time. Default: by REGULARS_CLOCK.")
@click.option("--every", type=click.FloatRange(1), metavar="SECONDS", help="Tick so often, until Ctrl-C.")
def ticks(at: str | None, every: float | None) -> None:
    """Record what is due: reviews of tiers, ends of grace, of overrides and of holds, and points that lapse or pay a debt."""
    if at and every:
        raise click.UsageError("--at is one instant: it cannot be ticked every so often.")
    with running(from_environment()) as app:
        clock = clock_of(app)
        now = clock() if at is None else told(at, app.terms.zone)
        if every:
            stopped = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopped.set())
            ticking(app.log, app.handler, clock, every, stopped)
            return
        done = tick(app.log, app.handler, now)
        ERR.print(f"As of {instant(now, app.terms)}: {done.events:,} events, for {done.streams:,} members with something due.")


def clock_of(app: App) -> Callable[[], int]:
    """Now, in epoch milliseconds: the wall's for a live shop, else the latest instant that the log tells."""
    if app.settings.clock == "wall":
        return lambda: round(time.time() * 1000)
    return lambda: latest(app.log)


def told(at: str, zone: str, option: str = "--at") -> int:
    try:
        read = datetime.fromisoformat(at)
    except ValueError:
        raise click.BadParameter(f"{at!r} is not ISO 8601: write 2027-03-06T00:00.", param_hint=option) from None
    then = round((read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))).timestamp() * 1000)
    if not 0 <= then < LATEST_INSTANT:
        raise click.BadParameter(f"{at!r} is too early or too late: from 1970 on, before the year 9000.", param_hint=option)
    return then
