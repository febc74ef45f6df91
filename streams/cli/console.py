"""What the command line prints on: tables that fit the terminal, pairs of names and values, sentences, and JSON.

Standard output carries what a command was asked for and nothing else; sentences about it go to standard error. Text of a shop
is shown as text: no markup, emoji or escape code in it has an effect.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import click
import msgspec
import orjson
from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from infra.errors import Misconfigured
from infra.printable import printable, printable_json

UNBOUNDED = 10_000
"""Columns of a standard output that is no terminal: each row stays on one line, for programs such as grep."""

NARROWEST = 24
"""Columns at which a wrapping column stops to shrink because of one long word."""

GAP = 2
"""Blanks between two columns."""


class ShopConsole(Console):
    """A console without markup, whose width is unbounded where nobody watches and ``COLUMNS`` names none."""

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, emoji=False, markup=False)

    @property  # type: ignore[misc]  # nobody sets the size
    def size(self) -> ConsoleDimensions:
        found = super().size
        if self.is_terminal or self._environ.get("COLUMNS", "").isdigit():
            return found
        return ConsoleDimensions(UNBOUNDED, found.height)


OUT = ShopConsole()
ERR = ShopConsole(stderr=True)

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class CommandFailed(click.ClickException):
    """What was asked for does not exist or is refused; it ends the command with a sentence and exit status 1."""

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


def say(sentence: str) -> None:
    """Print a sentence for people on standard error."""
    ERR.print(Text(printable(sentence)), soft_wrap=True)


def echo(line: str) -> None:
    """Print a line on standard output. Raises :class:`~infra.errors.Misconfigured` if that is closed."""
    require_output()
    click.echo(printable(line))


def require_output() -> None:
    """Raises :class:`~infra.errors.Misconfigured` if standard output was closed before we began."""
    if sys.stdout is None:
        raise Misconfigured("Standard output is closed: there is nowhere to write to.")


def show_parts(*parts: RenderableType) -> None:
    """Print tables and the like on standard output, with an empty line between two."""
    require_output()
    for number, part in enumerate(parts):
        if number:
            OUT.print()
        OUT.print(part)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON on standard output; structs and dataclasses are objects."""
    require_output()
    encoded = orjson.dumps(value, default=msgspec.to_builtins, option=orjson.OPT_NON_STR_KEYS)
    click.echo(printable_json(encoded))


class Grid:
    """A table that never cuts a cell.

    ``numbers``: columns to align right. ``wraps``: columns of names or sentences, which break between words where the terminal
    is narrow. If the table does not fit even so, each row is printed as a block of names and values.
    """

    def __init__(
        self,
        title: str,
        columns: Iterable[str],
        rows: Iterable[Iterable[object]],
        numbers: Iterable[int] = (),
        wraps: Iterable[int] = (),
    ) -> None:
        self.title = printable(title)
        self.columns = list(map(printable, columns))
        self.rows = [[printable(cell) for cell in row] for row in rows]
        self.numbers, self.wraps = set(numbers), set(wraps)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.title:
            yield Text(self.title, "bold")
        widths = self.widths(options.max_width)
        if not self.rows:
            yield Text("none", "dim")
        elif widths is None:
            yield from self._blocks()
        else:
            yield self._table(widths)

    def widths(self, available: int) -> list[int] | None:
        """Return the columns' widths in a terminal of so many columns, None if they do not fit."""
        cells = [[column, *(row[index] for row in self.rows)] for index, column in enumerate(self.columns)]
        natural = [max(map(cell_len, column)) for column in cells]
        room = available - GAP * (len(cells) - 1)
        least = [min(_longest_word(cells[at]), NARROWEST) if at in self.wraps else width for at, width in enumerate(natural)]
        spare = room - sum(least)
        if spare < 0:
            return None
        wanted = [width - smallest for width, smallest in zip(natural, least, strict=True)]
        if sum(wanted) <= spare:
            return natural
        return [smallest + spare * want // sum(wanted) for smallest, want in zip(least, wanted, strict=True)]

    def _table(self, widths: Sequence[int]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
        for index, (column, width) in enumerate(zip(self.columns, widths, strict=True)):
            justify: Literal["left", "right"] = "right" if index in self.numbers else "left"
            table.add_column(
                Text(column, "bold"), justify=justify, width=width, no_wrap=index not in self.wraps, overflow="fold"
            )
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def _blocks(self) -> Iterable[RenderableType]:
        for number, row in enumerate(self.rows):
            if number:
                yield ""
            yield pairs("", [(name, cell) for name, cell in zip(self.columns, row, strict=True) if name or cell])


def grid(
    title: str,
    columns: Iterable[str],
    rows: Iterable[Iterable[object]],
    numbers: Iterable[int] = (),
    wraps: Iterable[int] = (),
) -> Grid:
    """Return a table that fits; see :class:`Grid`."""
    return Grid(title, columns, rows, numbers, wraps)


class Fitting:
    """The widest of several tables that fits the terminal; the last one if none does."""

    def __init__(self, *grids: Grid) -> None:
        self.grids = grids

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        fits = (one for one in self.grids if one.widths(options.max_width) is not None)
        yield next(fits, self.grids[-1])


def pairs(title: str, rows: Iterable[tuple[str, object]]) -> RenderableType:
    """Return names and values, a line each; a long value wraps beside its name, a list takes a line for each of its parts."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        lines = value if isinstance(value, list) else [value]
        table.add_row(Text(printable(name)), Text("\n".join(map(printable, lines))))
    return Group(Text(printable(title), "bold"), table) if title else table


def _longest_word(cells: Iterable[str]) -> int:
    return max((cell_len(word) for cell in cells for word in cell.split()), default=0)
