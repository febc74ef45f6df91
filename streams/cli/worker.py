"""``regulars worker``: fold the topics into the read models, beside any number of others."""

from __future__ import annotations

import asyncio
import contextlib

import click
import faust

from infra.settings import from_environment
from infra.telemetry.logs import configure_logging
from infra.telemetry.probes import keep_beating
from streams.kafka.topics import broker_settings
from streams.kafka.worker.observing import observing
from streams.kafka.worker.wiring import agents
from streams.running.app import redis_url, running


@click.command()
def worker() -> None:
    """Fold the topics into the read models until it is told to stop; start as many as there is work for."""
    settings = from_environment()
    configure_logging(settings.telemetry)
    kafka = broker_settings(settings)
    with running(settings) as app:
        made = agents(app, kafka)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.call_soon(keep_beating, loop, made.feeding.observed.loop)
        process = faust.Worker(made.app, quiet=True, loop=loop, override_logging=False, redirect_stdouts=False)
        watched = observing(settings.telemetry, made.feeding.observed, kafka, redis_url(settings), made.topics)
        with watched, contextlib.suppress(SystemExit):  # its own way to end
            process.execute_from_commandline()
    if made.fault:
        raise click.ClickException(str(made.fault))
