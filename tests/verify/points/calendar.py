"""Days, without the program's own arithmetic of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/New_York")


def days(first: str, last: str) -> Iterator[str]:
    """Every day from ``first`` to ``last``, both included, as ISO text."""
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        yield day.isoformat()
        day += timedelta(days=1)


@cache
def end_of(day: str) -> int:
    """The first instant after a day."""
    after = date.fromisoformat(day) + timedelta(days=1)
    return round(datetime(after.year, after.month, after.day, tzinfo=ZONE).timestamp() * 1000)


@cache
def _day_of_hour(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, ZONE).date().isoformat()


def day_of(at: int) -> str:
    """The day of an instant; the zone is whole hours from UTC."""
    return _day_of_hour(at // 3_600_000)
