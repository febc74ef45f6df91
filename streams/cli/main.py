"""``regulars``: the operator's command."""

from __future__ import annotations

import sys

import click

from infra.faults import Fault
from streams.cli.importing import importing


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def regulars() -> None:
    """Event-sourced membership and real-time recommendations for online shops."""


regulars.add_command(importing)


def main() -> None:
    """Run a command; a fault is said in a sentence, with exit status 2."""
    try:
        regulars()
    except Fault as fault:
        click.echo(f"regulars: {fault}", err=True)
        sys.exit(2)
