"""``regulars completion``: what makes a shell complete commands, options and choices."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from infra.errors import Misconfigured
from streams.cli.console import require_output

VARIABLE = "_REGULARS_COMPLETE"
"""By this variable the shell asks ``regulars`` what may follow; click names it so."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that makes a SHELL complete what you type. In ~/.bashrc: eval "$(regulars completion bash)"."""
    made = get_completion_class(shell)
    if made is None:
        raise Misconfigured(f"This version of click knows no completion for {shell}.")
    require_output()
    click.echo(made(context.find_root().command, {}, "regulars", VARIABLE).source())
