"""``regulars``: the operator's command. A command is imported when it is asked for, and waits for no other's libraries."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module

import click

from infra.errors import Fault
from streams.running.processes import tie_to_parent

COMMANDS = {
    "audit": "audit:auditing",
    "dead-letters": "dead_letters:dead_letters",
    "demo": "demo:demo",
    "digest": "ops:digest",
    "doctor": "doctor:doctor",
    "export": "export:exporting",
    "follow": "ops:follow",
    "import": "import_:importing",
    "key": "serve:key",
    "lag": "lag:lag",
    "log": "migrate:log",
    "migrate": "migrate:migrate",
    "model": "model:model",
    "policy": "policy:policies",
    "quality": "model:quality",
    "recommend": "show:recommend",
    "redis": "ops:redis",
    "relay": "relay:relay",
    "serve": "serve:serve",
    "show": "show:show",
    "stop": "ops:stop",
    "tick": "tick:ticks",
    "topics": "relay:topics",
    "trace": "trace:trace",
    "up": "up:up",
    "why": "why:why",
    "worker": "worker:worker",
}
"""Each with its module here and its name there."""


class Commands(click.Group):
    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _colon, attribute = COMMANDS[name].partition(":")
        found: click.Command = getattr(import_module(f"streams.cli.{module}"), attribute)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--tied", is_flag=True, hidden=True, help="End when standard input does.")
def regulars(tied: bool) -> None:
    """Event-sourced membership and real-time recommendations for online shops."""
    if tied:
        tie_to_parent()


def main() -> None:
    """Run a command; a fault is said in a sentence, with exit status 2."""
    try:
        regulars()
    except Fault as fault:
        with suppress(OSError):  # it counts even where it cannot be said
            click.echo(f"regulars: {fault}", err=True)
        sys.exit(2)
