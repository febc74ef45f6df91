"""``regulars export``: the log for other programs."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from infra.faults import Misconfigured
from infra.settings import from_environment
from streams.bootstrap import running
from streams.exports.shop_log.exporting import Export


class Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


@click.group("export")
def exporting() -> None:
    """Export the log."""


@exporting.command("shop-log")
@click.argument("file", default="-")
@click.option("--personal", is_flag=True, help="With what is sealed: names, addresses, profiles, searches, reviews' texts.")
def shop_log(file: str, personal: bool) -> None:
    """Write the log to FILE (- is standard output; a name that ends in .gz is compressed) as a shop-log.

    Imported into an empty REGULARS_HOME it makes the same read models; without --personal, all but what is personal.
    """
    console = Console(stderr=True)
    with running(from_environment()) as app, written(file) as out:
        export = Export(app.log, app.terms, personal)
        with progress_bar(console) as bar:
            shown = bar.add_task("shop-log", total=app.log.head(), rate="")
            for raw in export:
                out.write(raw + b"\n")
                if not export.lines % 1000:
                    bar.update(shown, completed=export.told, rate=f"{export.lines:,} lines")
            bar.update(shown, completed=app.log.head(), rate=f"{export.lines:,} lines")
    console.print(f"{export.lines:,} lines" + ("" if personal else "; what is personal was left out (--personal tells it)"))


@contextmanager
def written(file: str) -> Iterator[Writable]:
    """The file to write, which is there only once it is whole. Raises :class:`Misconfigured` if it cannot be."""
    if file == "-":
        yield sys.stdout.buffer
        return
    path = Path(file)
    part = path.with_name(f".{path.name}.part")
    try:
        with ExitStack() as stack:
            yield (
                stack.enter_context(gzip.open(part, "wb", 6)) if path.suffix == ".gz" else stack.enter_context(part.open("wb"))
            )
        part.replace(path)
    except OSError as fault:
        raise Misconfigured(f"{file} cannot be written: {fault.strerror or fault}.") from None
    finally:
        part.unlink(missing_ok=True)


def progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
