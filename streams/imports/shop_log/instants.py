"""Instants as a file writes them, RFC 3339 text or UTC epoch milliseconds, to epoch milliseconds.

The forms are those of docs/import-format.md, whichever Python reads them. Text without an offset is local time in the shop's
zone. A local time that the clock skips in spring moves on by the gap; one that occurs twice in autumn is the first.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

from streams.imports.shop_log.amounts import is_number
from streams.imports.shop_log.rejected import Rejected

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DAY = 86_400_000

SECONDS = 10**11
"""A number below this is taken for seconds: in milliseconds it would be March 1973 or earlier."""

DATE = r"(?P<year>\d{4})(?:-(?P<month>\d\d)-(?P<day>\d\d)|(?P<month_>\d\d)(?P<day_>\d\d)|-?W(?P<week>\d\d)-?(?P<weekday>\d))"
TIME = r"(?P<hour>\d\d)(?:(?P<colon>:?)(?P<minute>\d\d)(?:(?P=colon)(?P<second>\d\d)(?:[.,](?P<part>\d+))?)?)?"
OFFSET = r"(?P<offset>[Zz]|[+-]\d\d(?::?\d\d)?)"
COMMON = re.compile(
    r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
"""What every Python reads in the same way, fast."""

WRITTEN = re.compile(f"{DATE}(?:[Tt ]{TIME}{OFFSET}?)?", re.ASCII)


def instant(value: Any, zone: tzinfo | None) -> int:
    """Return epoch milliseconds; a finer part is cut off. Raises :class:`Rejected`."""
    if type(value) is str:
        at = from_text(value, zone)
    elif is_number(value):
        at = from_number(value)
    else:
        raise Rejected("instant_invalid", "An instant is text such as 2024-01-31T18:30:00+01:00, or epoch milliseconds.")
    if at < 0:
        raise Rejected("instant_too_early", "An instant before 1970 is not taken: look for a wrong or an empty date.")
    return at


def from_text(text: str, zone: tzinfo | None) -> int:
    if len(text) != len("20240131") and text.isdecimal():
        raise Rejected("instant_invalid", "Epoch milliseconds are a number: write them without quotes.")
    try:
        if COMMON.fullmatch(text):
            return (datetime.fromisoformat(text) - EPOCH) // MILLISECOND
        if found := WRITTEN.fullmatch(text):
            return at_of(found, zone)
    except (ValueError, OverflowError):
        pass  # there is no such day or time
    raise Rejected("instant_invalid", "This is no instant of RFC 3339: write 2024-01-31T18:30:00+01:00.")


def at_of(found: re.Match[str], zone: tzinfo | None) -> int:
    """Return the instant of a match of :data:`WRITTEN`. Raises ``ValueError`` if there is none, or :class:`Rejected`.

    24:00:00 is the next midnight, and a leap second is the second after it.
    """
    hour, minute, second, part, offset = found.group("hour", "minute", "second", "part", "offset")
    after = timedelta()
    if hour == "24":
        if (int(minute or 0), int(second or 0), int(part or 0)) != (0, 0, 0):
            raise ValueError("a day ends at 24:00:00")
        hour, after = "00", timedelta(days=1)
    is_leap = second == "60"
    clock = (int(hour or 0), int(minute or 0), 59 if is_leap else int(second or 0))
    day = day_of(found)
    if (known := zone_of(offset) or zone) is None:
        raise Rejected("instant_without_zone", "The instant has no offset: write +01:00 or Z behind it, or give --timezone.")
    local = datetime(day.year, day.month, day.day, *clock, tzinfo=known) + after
    at = (local - EPOCH) // MILLISECOND + int(f"{part or '0':0<3}"[:3])
    if not is_leap:
        return at
    second_after = at + 1000
    if (EPOCH + second_after * MILLISECOND).strftime("%d %H:%M:%S") != "01 00:00:00":
        raise ValueError("a leap second is the last of a UTC month")
    return second_after


def day_of(found: re.Match[str]) -> date:
    year, week, weekday = found.group("year", "week", "weekday")
    if week:
        return date.fromisocalendar(int(year), int(week), int(weekday))
    return date(int(year), int(found["month"] or found["month_"]), int(found["day"] or found["day_"]))


def zone_of(offset: str | None) -> tzinfo | None:
    """Return a written offset. Raises ``ValueError`` for 24 hours or more, and for 60 minutes or more."""
    if offset is None or offset in "Zz":
        return None if offset is None else UTC
    hours, minutes = int(offset[1:3]), int(offset[3:].removeprefix(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("an offset is at most 23:59")
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if offset[0] == "-" else size)


def from_number(number: Any) -> int:
    if 0 <= number < SECONDS:
        raise Rejected(
            "instant_in_seconds", "A number this small is taken for seconds: write milliseconds, 1000 times as many."
        )
    if not number < 10**15 or (number > 0 and number != int(number)):
        raise Rejected("instant_invalid", "Epoch milliseconds are a whole number of 12 or 13 digits.")
    return int(number) if number > 0 else -1
