"""Instants as a file writes them, ISO 8601 with an offset or UTC epoch milliseconds, to epoch milliseconds.

Text without an offset is local time in the shop's zone. A local time that the clock skips in spring moves on by the gap; one
that occurs twice in autumn is the first.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from streams.imports.shop_log.amounts import is_number
from streams.imports.shop_log.rejects import Rejected

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DAY = 86_400_000

SECONDS = 10**11
"""A number below this is taken for seconds: in milliseconds it would be March 1973 or earlier."""


def instant(value: Any, zone: tzinfo | None) -> int:
    """Return epoch milliseconds; a finer part is cut off. Raises :class:`Rejected`."""
    if type(value) is str:
        at = from_text(value, zone)
    elif is_number(value):
        at = from_number(value)
    else:
        raise Rejected("instant_invalid", "An instant is ISO 8601 text with an offset, or epoch milliseconds.")
    if at < 0:
        raise Rejected("instant_too_early", "An instant before 1970 is not taken: look for a wrong or an empty date.")
    return at


def from_text(text: str, zone: tzinfo | None) -> int:
    if text.isdecimal() and len(text) != len("20240131"):
        raise Rejected("instant_invalid", "Epoch milliseconds are a number: write them without quotes.")
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is None:
            read = read.replace(tzinfo=zone)
        if read.tzinfo is not None:
            return (read - EPOCH) // MILLISECOND
    except (ValueError, OverflowError):
        raise Rejected("instant_invalid", "This is not ISO 8601: write 2024-01-31T18:30:00+01:00.") from None
    raise Rejected("instant_without_zone", "The instant has no offset: write +01:00 or Z behind it, or give --timezone.")


def from_number(number: Any) -> int:
    if 0 <= number < SECONDS:
        raise Rejected(
            "instant_in_seconds", "A number this small is taken for seconds: write milliseconds, 1000 times as many."
        )
    if not number < 10**15 or (number > 0 and number != int(number)):
        raise Rejected("instant_invalid", "Epoch milliseconds are a whole number of 12 or 13 digits.")
    return int(number) if number > 0 else -1
