"""A shop-log file to be read: opened, and the shop it belongs to made ready before its lines are."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeAlias
from zoneinfo import ZoneInfo

from infra.errors import Misconfigured
from infra.event_log.types import Shop
from infra.settings import Settings
from streams.cli.shop_log_outage import make_home
from streams.imports.shop_log.archive import Damaged, raw_lines
from streams.imports.shop_log.reading import with_header
from streams.running.app import App, running

Lines: TypeAlias = Iterator[tuple[int, bytes]]


@dataclass(frozen=True)
class Source:
    """``zone``: of times without an offset."""

    file: BinaryIO
    lines: Lines
    zone: str | None


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """The file's bytes. Raises :class:`Misconfigured` if it cannot be opened."""
    if file == "-":
        if sys.stdin is None:  # it was closed before we began
            raise Misconfigured("There is no standard input to read: name a FILE.")
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            source = stack.enter_context(Path(file).open("rb"))
            source.peek(1)  # a directory opens, and is found out here
        except (OSError, ValueError) as fault:
            raise Misconfigured(f"{file} cannot be read: {getattr(fault, 'strerror', None) or fault}.") from None
        yield source


def aside(file: str, source: BinaryIO, chosen: Path | None, home: Path) -> Path:
    """Where rejected lines go. Raises :class:`Misconfigured` if that is the very file they come from."""
    if chosen is None:
        return home / "rejects" / f"{'standard-input' if file == '-' else Path(file).name[-60:]}.jsonl"
    try:
        same = chosen.is_file() and os.path.samestat(os.fstat(source.fileno()), chosen.stat())
    except OSError:  # a source without a number is no file
        same = False
    if same:
        raise Misconfigured(f"{chosen} is the file to read: rejected lines go to another.")
    return chosen


@contextmanager
def started(file: BinaryIO, settings: Settings, zone: str | None, currency: str | None) -> Iterator[tuple[App, Lines]]:
    """The system of the shop that the options, else the file's own header, name; and the file's lines."""
    check_shop(zone, currency)
    try:
        told, lines = with_header(raw_lines(file))
    except Damaged as damaged:  # nothing could be read, which is said when the lines are
        told, lines = None, fails(damaged)
    shop = Shop(zone or (told.zone if told else settings.zone), currency or (told.currency if told else settings.currency))
    check_shop(shop.zone, shop.currency)
    make_home(settings.home)
    with running(replace(settings, zone=shop.zone, currency=shop.currency), shop if told else None) as app:
        mine = Shop(app.terms.zone, app.terms.currency)
        wanted = Shop(zone or mine.zone, currency or mine.currency)
        if wanted == mine or app.log.head():
            if wanted.currency != mine.currency:
                raise Misconfigured(f"This log is kept in {mine.currency}, not in {currency}: choose another REGULARS_HOME.")
            yield app, lines
            return
    with running(settings, wanted) as app:  # nothing is in the log yet, so it may still become another shop's
        yield app, lines


def fails(damaged: Damaged) -> Lines:
    raise damaged
    yield


def check_shop(zone: str | None, currency: str | None) -> None:
    """Raises :class:`Misconfigured` for a zone or currency that there is not."""
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, LookupError):
            raise Misconfigured(f"There is no time zone {zone!r}: name one like Europe/Paris.") from None
    if currency is not None and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise Misconfigured(f"{currency!r} is no currency: write its three capital letters, like EUR.")


def size_of(source: BinaryIO) -> int | None:
    """The bytes of a file, None of what ends when it ends: a stream, or a file that a kernel makes up as it is read."""
    try:
        return os.fstat(source.fileno()).st_size or None
    except OSError:  # a source without a number is no file
        return None


def place_in(source: BinaryIO) -> int:
    return source.tell() if source.seekable() else 0
