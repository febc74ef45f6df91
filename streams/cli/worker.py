"""``regulars worker``: folds the topics into the read models, beside any number of others."""

from __future__ import annotations

import asyncio
import contextlib

import click
import faust

from infra.settings import from_environment
from infra.telemetry.logs import configure_logging
from infra.telemetry.probes import keep_beating
from infra.telemetry.traces import configure_traces
from streams.cli.console import CommandFailed
from streams.kafka.topics import broker_settings
from streams.kafka.worker.telemetry import observing
from streams.kafka.worker.wiring import build_worker
from streams.running.app import redis_url, running


@click.command()
def worker() -> None:
    """Fold the topics into the read models until it is stopped. Start up to 16 of them."""
    settings = from_environment()
    configure_logging(settings.telemetry)
    configure_traces(settings.telemetry, "worker")
    kafka = broker_settings(settings)
    with running(settings) as app:
        made = build_worker(app, kafka)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.call_soon(keep_beating, loop, made.telemetry.loop)
        process = faust.Worker(made.app, quiet=True, loop=loop, override_logging=False, redirect_stdouts=False)
        watched = observing(settings.telemetry, made.telemetry, kafka, redis_url(settings), made.topics)
        with watched, contextlib.suppress(SystemExit):  # Faust ends by it
            process.execute_from_commandline()
    if made.fault:
        raise CommandFailed(str(made.fault))
