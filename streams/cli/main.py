"""``regulars``: the operator's command."""

from __future__ import annotations

import sys

import click

from infra.faults import Fault
from streams.cli.audit import auditing
from streams.cli.dead_letters import dead_letters
from streams.cli.demo import demo
from streams.cli.doctor import doctor
from streams.cli.exporting import exporting
from streams.cli.importing import importing
from streams.cli.keeping import log, migrate
from streams.cli.lagging import lag
from streams.cli.modelling import model, quality
from streams.cli.operating import digest, follow, redis, stop
from streams.cli.policy import policies
from streams.cli.relaying import relay, topics
from streams.cli.shop_log import shop_log
from streams.cli.showing import recommend, show
from streams.cli.ticking import ticks
from streams.cli.tracing import trace
from streams.cli.up import up
from streams.cli.why import why
from streams.cli.working import worker
from streams.processes import tie_to_parent


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--tied", is_flag=True, hidden=True, help="End when standard input does.")
def regulars(tied: bool) -> None:
    """Event-sourced membership and real-time recommendations for online shops."""
    if tied:
        tie_to_parent()


COMMANDS = (
    *(demo, importing, exporting, show, recommend, quality, model, policies, why, auditing, trace),
    *(doctor, digest, follow, redis, stop, migrate, log, ticks),
    *(up, topics, relay, worker, lag, dead_letters),
)

for command in COMMANDS:
    regulars.add_command(command)

importing.add_command(shop_log)


def main() -> None:
    """Run a command; a fault is said in a sentence, with exit status 2."""
    try:
        regulars()
    except Fault as fault:
        click.echo(f"regulars: {fault}", err=True)
        sys.exit(2)
