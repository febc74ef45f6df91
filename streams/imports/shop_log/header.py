"""The first line of a file that Regulars wrote: whose log it was, so that its days and its money mean the same again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import msgspec
import orjson

from infra.event_log.types import Shop
from streams.imports.shop_log.document import parse_object
from streams.imports.shop_log.rejected import Rejected

COMMAND = "Shop"


def header(shop: Shop) -> bytes:
    """
    >>> header(Shop("Europe/Paris", "EUR"))
    b'{"type":"regulars","command":"Shop","values":{"zone":"Europe/Paris","currency":"EUR"}}'
    """
    return orjson.dumps({"type": "regulars", "command": COMMAND, "values": shop})


def with_header(lines: Iterator[tuple[int, bytes]]) -> tuple[Shop | None, Iterator[tuple[int, bytes]]]:
    """The shop that a file's first line names, if it does, and the lines that tell what happened."""
    first = next(lines, None)
    if first is None:
        return None, lines
    shop = shop_of(first[1])
    return shop, lines if shop else chain((first,), lines)


def shop_of(raw: bytes) -> Shop | None:
    try:
        told = parse_object(raw)
        if told.get("type") == "regulars" and told.get("command") == COMMAND:
            return msgspec.convert(told.get("values"), Shop)
    except (Rejected, msgspec.ValidationError):
        pass  # it is rejected where lines are read
    return None
