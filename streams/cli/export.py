"""``regulars export``: the log for other programs."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import click

from infra.errors import Misconfigured
from infra.printable import printable_json
from infra.private_files import make_home, open_private
from infra.settings import from_environment
from streams.cli.console import say
from streams.cli.groups import CommandGroup
from streams.cli.progress import progress
from streams.exports.shop_log.exporting import Export
from streams.running.app import running


class Writable(Protocol):
    """A file that takes bytes."""

    def write(self, data: bytes, /) -> object: ...


@click.group(cls=CommandGroup)
def export() -> None:
    """Export the log."""


@export.command("shop-log")
@click.argument("file", default="-")
@click.option(
    "--personal", is_flag=True, help="With what is sealed: names, addresses, profiles, tags, searches, reviews' texts, reasons."
)
def shop_log(file: str, personal: bool) -> None:
    """Write the log to FILE (- is standard output; a name that ends in .gz is compressed) as a shop-log.

    Imported into an empty REGULARS_HOME it makes the same read models; without --personal, all but what is personal. Exit
    status 3 if a shop-log has no line for some event.
    """
    settings = from_environment()
    make_home(settings.home)
    with running(settings) as app, written(file, settings.home) as out:
        made = Export(app.log, app.terms, personal)
        with progress() as writer:
            task = writer.add("shop-log", total=app.log.head())
            for raw in made:
                out.write((printable_json(raw) if file == "-" else raw) + b"\n")
                if not made.lines % 1000:
                    writer.update(task, made.position, f"{made.lines:,} lines")
            writer.update(task, app.log.head(), f"{made.lines:,} lines")
    say(f"{made.lines:,} lines" + ("" if personal else "; personal values were left out (--personal includes them)"))
    if made.omitted:
        say(f"{made.omitted:,} events were left out: a shop-log has no line for them.")
        sys.exit(3)


@contextmanager
def written(file: str, home: Path) -> Iterator[Writable]:
    """Open the file to write. Raises :class:`Misconfigured` if it cannot be written."""
    path = Path(file)
    try:
        if file == "-":
            if sys.stdout is None:  # it was closed before we began
                raise Misconfigured("There is no standard output to write to: name a FILE.")
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        elif path.exists() and not path.is_file():  # a device or a pipe; a directory raises
            with path.open("wb") as out:
                yield out
        else:
            with complete_file(path, home) as out:
                yield out
    except BrokenPipeError:
        raise  # the reader of our output has gone away
    except OSError as fault:
        raise Misconfigured(f"{file} cannot be written: {fault.strerror or fault}.") from None


@contextmanager
def complete_file(path: Path, home: Path) -> Iterator[Writable]:
    """Write a file that appears under its name only once it is complete, and that its owner alone may read."""
    if path.resolve().is_relative_to(home.resolve()):
        raise Misconfigured(f"{path} is in REGULARS_HOME: name another place for the export.")
    part = path.with_name(f".{path.name[-60:]}.part")
    part.unlink(missing_ok=True)
    try:
        with ExitStack() as stack:
            packed = path.suffix == ".gz"
            out = stack.enter_context(open(part, "wb", opener=open_private))
            yield stack.enter_context(gzip.GzipFile(path.name, "wb", 6, out)) if packed else out
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
