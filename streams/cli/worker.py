"""``regulars worker``: folds the topics into the read models, beside any number of others."""

from __future__ import annotations

import asyncio
import contextlib

import click
import faust

from infra.settings import from_environment
from infra.telemetry.health import beat
from infra.telemetry.logs import log_by
from streams.cli.console import CommandFailed
from streams.kafka.topics import broker
from streams.kafka.worker.telemetry import observing
from streams.kafka.worker.wiring import build_worker
from streams.running.app import redis_url, running


@click.command()
def worker() -> None:
    """Fold the topics into the read models until it is stopped. Start up to 16 of them."""
    settings = from_environment()
    log_by(settings.observation)
    kafka = broker(settings)
    with running(settings) as app:
        made = build_worker(app, kafka)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.call_soon(beat, loop, made.telemetry.loop)
        process = faust.Worker(made.app, quiet=True, loop=loop, override_logging=False, redirect_stdouts=False)
        watched = observing(settings.observation, made.telemetry, kafka, redis_url(settings), made.topics)
        with watched, contextlib.suppress(SystemExit):  # Faust ends by it
            process.execute_from_commandline()
    if made.fault:
        raise CommandFailed(str(made.fault))
