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

from infra.errors import Misconfigured
from infra.settings import from_environment
from streams.cli.shop_log_outage import make_home
from streams.exports.shop_log.exporting import Export
from streams.running.app import running


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

    Imported into an empty REGULARS_HOME it makes the same read models; without --personal, all but what is personal. Exit
    status 3 if an event could not be told.
    """
    console = Console(stderr=True)
    settings = from_environment()
    make_home(settings.home)
    with running(settings) as app, written(file) as out:
        export = Export(app.log, app.terms, personal)
        with progress_bar(console) as bar:
            shown = bar.add_task("shop-log", total=app.log.head(), rate="")
            for raw in export:
                out.write(raw + b"\n")
                if not export.lines % 1000:
                    bar.update(shown, completed=export.position, rate=f"{export.lines:,} lines")
            bar.update(shown, completed=app.log.head(), rate=f"{export.lines:,} lines")
    console.print(f"{export.lines:,} lines" + ("" if personal else "; what is personal was left out (--personal tells it)"))
    if export.omitted:
        console.print(f"{export.omitted:,} events are not in it: no line of a shop-log can tell them.")
        sys.exit(3)


@contextmanager
def written(file: str) -> Iterator[Writable]:
    """The file to write. Raises :class:`Misconfigured` if it cannot be."""
    path = Path(file)
    try:
        if file == "-":
            if sys.stdout is None:  # it was closed before we began
                raise Misconfigured("There is no standard output to write to: name a FILE.")
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        elif path.exists() and not path.is_file():  # a device or a pipe; a directory says no
            with path.open("wb") as out:
                yield out
        else:
            with whole(path) as out:
                yield out
    except BrokenPipeError:
        raise  # whoever reads has enough
    except OSError as fault:
        raise Misconfigured(f"{file} cannot be written: {fault.strerror or fault}.") from None


@contextmanager
def whole(path: Path) -> Iterator[Writable]:
    """A file that is there only once it is complete."""
    part = path.with_name(f".{path.name[-60:]}.part")
    try:
        with ExitStack() as stack:
            packed = path.suffix == ".gz"
            yield stack.enter_context(gzip.open(part, "wb", 6)) if packed else stack.enter_context(part.open("wb"))
        part.replace(path)
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
