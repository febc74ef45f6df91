"""``regulars``: the operator's command. A command is imported when it is called, so none waits for the libraries of another."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from importlib import import_module

import click

from infra.errors import Fault
from streams.running.processes import tie_to_parent

COMMANDS = {
    "audit": "audit:audit_books",
    "dead-letters": "dead_letters:dead_letters",
    "demo": "demo:demo",
    "digest": "doctor:digest",
    "doctor": "doctor:doctor",
    "export": "export:export",
    "follow": "follow:follow",
    "import": "import_:import_data",
    "lag": "doctor:lag",
    "log": "servers:log",
    "migrate": "servers:migrate",
    "model": "model:model",
    "policy": "policy:policies",
    "quality": "model:quality",
    "recommend": "show:recommend",
    "redis": "servers:redis",
    "relay": "relay:relay",
    "show": "show:show",
    "stop": "servers:stop",
    "tick": "follow:record_due",
    "topics": "relay:topics",
    "trace": "trace:trace",
    "up": "up:up",
    "why": "why:why",
    "worker": "worker:worker",
}
"""Each command with its module in ``streams/cli`` and its name there."""


class Commands(click.Group):
    """The commands of the table."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _colon, attribute = COMMANDS[name].partition(":")
        found: click.Command = getattr(import_module(f"streams.cli.{module}"), attribute)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="regulars", message="regulars %(version)s")
@click.option("--tied", is_flag=True, hidden=True, help="End when standard input does.")
def regulars(tied: bool) -> None:
    """Event-sourced membership and real-time recommendations for online shops."""
    if tied:
        tie_to_parent()


def main() -> None:
    """Run a command. A fault ends it with a sentence on standard error and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal's encoding lacks is shown, not a fault
    try:
        regulars()
    except Fault as fault:
        with suppress(OSError):  # the exit status counts even if nobody can read the sentence
            click.echo(f"regulars: {fault}", err=True)
        sys.exit(2)
