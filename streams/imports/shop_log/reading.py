"""From the bytes of a line to what it says. Pure, but for the count of unknown fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import orjson

from aggregates.money import minor_units
from infra.event_log.types import Shop
from streams.imports.shop_log.document import parse_object
from streams.imports.shop_log.fields import Line, LineContext, object_reader
from streams.imports.shop_log.instants import DAY
from streams.imports.shop_log.lines import TABLE, FileLine
from streams.imports.shop_log.rejected import Rejected

MOST_NAMES = 1000
OTHERS = "(others)"
"""What unknown fields count as once there are too many names to keep."""

HEADER = "Shop"
"""The command of a file's first line, if Regulars wrote the file."""


@dataclass(frozen=True)
class ShopLine:
    """``digest``: 16 bytes, equal for lines that say the same; neither the line's number nor its ``id`` is in it."""

    number: int
    line: FileLine
    digest: bytes


class Reader:
    """Reads one shop's lines: amounts in ``currency``, text without an offset in the IANA ``zone``.

    ``digits``: the decimals of the log's amounts; None for those that the currency has by ISO 4217.

    ``now`` is epoch milliseconds; nothing may have happened more than a day after it. ``unknown_fields`` counts the fields of
    the lines that were read which nothing reads, by type and name (``view.colour``, ``order.lines.colour``).
    """

    def __init__(self, currency: str, zone: str | None, now: int, digits: int | None = None) -> None:
        self.unknown_fields: Counter[str] = Counter()
        if digits is None:
            digits = len(str(minor_units(currency))) - 1
        context = LineContext(digits, None if zone is None else ZoneInfo(zone), now + DAY)
        self._unknown = context.unknown
        self._readers = {name: object_reader(name, line, context) for name, (line, _) in TABLE.items()}

    def read(self, number: int, raw: bytes) -> ShopLine:
        """Return what line ``number`` of the file says. Raises :class:`Rejected`, and nothing else."""
        document = parse_object(raw)
        kind = document.get("type")
        if type(kind) is not str:
            raise Rejected("type_missing", 'The line has no type: write one, as in "type": "view".')
        read = self._readers.get(kind)
        if read is None:
            raise Rejected("type_unknown", f"No line is of type {kind[:80]!r}: regulars import shop-log --schema names them.")
        self._unknown.clear()
        line: Any = read(document)
        digest = digest_of(line)
        if self._unknown:
            self._count(self._unknown)
        return ShopLine(number, line, digest)

    def _count(self, unknown: list[str]) -> None:
        counted = self.unknown_fields
        for name in unknown:
            counted[name if name in counted or len(counted) < MOST_NAMES else OTHERS] += 1


def digest_of(line: FileLine) -> bytes:
    """Return 16 bytes of what a line says: equal for lines that are equal by value, however they are written.

    A field that is None is not in it, so a field that a later version adds changes nothing that is stored.
    """
    told = (line.type, line.at, line)
    return blake2b(orjson.dumps(told, default=as_json, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def as_json(value: Line | Decimal) -> Any:
    return str(value.normalize()) if isinstance(value, Decimal) else value.content()


# The header of a file that Regulars wrote: whose log it was, so that its days and its money mean the same again


def header(shop: Shop) -> bytes:
    """Return a file's first line. It names the decimals only where they are not the currency's own.

    >>> header(Shop("Europe/Paris", "EUR"))
    b'{"type":"regulars","command":"Shop","values":{"zone":"Europe/Paris","currency":"EUR"}}'
    """
    values: dict[str, object] = {"zone": shop.zone, "currency": shop.currency}
    if shop.digits is not None and 10**shop.digits != minor_units(shop.currency):
        values["digits"] = shop.digits
    return orjson.dumps({"type": "regulars", "command": HEADER, "values": values})


def with_header(lines: Iterator[tuple[int, bytes]]) -> tuple[Shop | None, Iterator[tuple[int, bytes]]]:
    """Return the shop that a file's first line names, if it names one, and the lines that say what happened."""
    first = next(lines, None)
    if first is None:
        return None, lines
    shop = shop_of(first[1])
    return shop, lines if shop else chain((first,), lines)


def shop_of(raw: bytes) -> Shop | None:
    """Return the shop that a header names; None of any other line."""
    try:
        document = parse_object(raw)
        if document.get("type") == "regulars" and document.get("command") == HEADER:
            return msgspec.convert(document.get("values"), Shop)
    except (Rejected, msgspec.ValidationError):
        pass  # the reader rejects the line
    return None
