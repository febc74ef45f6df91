"""How the command line shows money, instants and tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aggregates.money import minor_units
from aggregates.programme import Programme

OUT = Console(highlight=False, emoji=False)
ERR = Console(stderr=True, highlight=False, emoji=False)


def money(amount: int, terms: Programme) -> str:
    unit = minor_units(terms.currency)
    return f"{amount / unit:,.{len(str(unit)) - 1}f} {terms.currency}"


def instant(at: int | None, terms: Programme) -> str:
    if at is None:
        return "-"
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(terms.zone)).strftime("%Y-%m-%d %H:%M")


def grid(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]], numbers: Iterable[int] = ()) -> Table:
    """A table; ``numbers`` are the columns to align right. What it says is shown as it is, brackets included."""
    right = set(numbers)
    made = Table(title=Text(title, "bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index in right else "left")
    for row in rows:
        made.add_row(*(Text(str(cell)) for cell in row))
    return made


def pairs(title: str, rows: Iterable[tuple[str, object]]) -> Table:
    """Names and values, as they are."""
    made = Table(title=Text(title, "bold"), title_justify="left", box=None, show_header=False, pad_edge=False)
    made.add_column(style="dim")
    made.add_column()
    for name, value in rows:
        made.add_row(Text(name), Text(str(value)))
    return made
