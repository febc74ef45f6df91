"""Groups of commands, whose help shows the whole first sentence of each."""

from __future__ import annotations

import click

LONGEST = 300
"""Characters of a sentence; it wraps at the width of the terminal."""


class CommandGroup(click.Group):
    """A group whose help does not cut what its commands do."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(LONGEST)) for name, command in found if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
