"""``regulars worker``: fold the topics into the read models, beside any number of others."""

from __future__ import annotations

import contextlib

import click
import faust

from infra.settings import from_environment
from streams.bootstrap import running
from streams.topics import broker
from streams.working import agents


@click.command()
def worker() -> None:
    """Fold the topics into the read models until it is told to stop; start as many as there is work for."""
    settings = from_environment()
    with running(settings) as app:
        made = agents(app, broker(settings))
        with contextlib.suppress(SystemExit):  # its own way to end
            faust.Worker(made.app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()
    if made.fault:
        raise click.ClickException(str(made.fault))
