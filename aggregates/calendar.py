"""Local days, months and years: instants are UTC epoch milliseconds, calendars are of the programme's zone.

A local time that the clock skips in spring moves on by the gap; one that occurs twice in autumn is the first.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

QUARTER_HOUR = 900_000


def _local(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(ZoneInfo(zone))


def _instant(day: date, clock: time, zone: str) -> int:
    return round(datetime.combine(day, clock.replace(fold=0), ZoneInfo(zone)).timestamp() * 1000)


@lru_cache(maxsize=65_536)
def _day_of_quarter(quarter: int, zone: str) -> str:
    return _local(quarter * QUARTER_HOUR, zone).date().isoformat()


def local_day(at: int, zone: str) -> str:
    """Return the calendar day of an instant as ISO text. Since 1972, every zone's offset is a multiple of a quarter of an hour.

    >>> local_day(1483246799000, "America/New_York"), local_day(1483246800000, "America/New_York")
    ('2016-12-31', '2017-01-01')
    """
    return _day_of_quarter(at // QUARTER_HOUR, zone)


def day_start(day: str, zone: str) -> int:
    """Return the instant at which a calendar day begins.

    >>> day_start("2017-01-01", "America/New_York")
    1483246800000
    """
    return _instant(date.fromisoformat(day), time(), zone)


def end_of_day(at: int, zone: str) -> int:
    """Return the first instant after the calendar day of ``at``."""
    return _instant(_local(at, zone).date() + timedelta(days=1), time(), zone)


def add_days(at: int, days: int, zone: str) -> int:
    """Return the same local time ``days`` later; a day has 23 or 25 hours where the clock changes.

    >>> saturday = day_start("2017-03-11", "America/New_York")
    >>> (add_days(saturday, 2, "America/New_York") - saturday) // 3_600_000
    47
    """
    return at + _days_from_quarter(at // QUARTER_HOUR, days, zone)


@lru_cache(maxsize=65_536)
def _days_from_quarter(quarter: int, days: int, zone: str) -> int:
    """Return how much later the same local time is. It is the same in a quarter of an hour: no clock changes within one."""
    local = _local(quarter * QUARTER_HOUR, zone)
    return _instant(local.date() + timedelta(days=days), local.time(), zone) - quarter * QUARTER_HOUR


def add_months(at: int, months: int, zone: str) -> int:
    """Return the same local time and day of another month, clipped to the month's last day.

    >>> end = day_start("2024-02-29", "UTC")
    >>> add_months(end, 12, "UTC") == day_start("2025-02-28", "UTC")
    True
    """
    return at + _months_from_quarter(at // QUARTER_HOUR, months, zone)


@lru_cache(maxsize=65_536)
def _months_from_quarter(quarter: int, months: int, zone: str) -> int:
    local = _local(quarter * QUARTER_HOUR, zone)
    return _instant(months_later(local.date(), months), local.time(), zone) - quarter * QUARTER_HOUR


def months_later(day: date, months: int) -> date:
    """Return the same day of another month, clipped to its last.

    >>> months_later(date(2028, 1, 31), 1), months_later(date(2028, 2, 29), -12)
    (datetime.date(2028, 2, 29), datetime.date(2027, 2, 28))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def calendar_cycle(at: int, months: int, zone: str) -> tuple[int, int]:
    """Return the cycle of so many calendar months that an instant falls into: its first instant, and that of the next one.

    >>> begins, ends = calendar_cycle(day_start("2026-05-17", "UTC"), 3, "UTC")
    >>> local_day(begins, "UTC"), local_day(ends, "UTC")
    ('2026-04-01', '2026-07-01')
    """
    local = _local(at, zone)
    first = date(local.year, local.month, 1)
    begins = months_later(first, -((local.year * 12 + local.month - 1) % months))
    return _instant(begins, time(), zone), _instant(months_later(begins, months), time(), zone)


def anniversary_cycle(at: int, months: int, zone: str, since: int) -> tuple[int, int]:
    """Return the same for cycles that begin with the day of ``since``; in a shorter month, with its last day.

    >>> begins, ends = anniversary_cycle(day_start("2026-02-28", "UTC"), 1, "UTC", since=day_start("2025-01-31", "UTC"))
    >>> local_day(begins, "UTC"), local_day(ends, "UTC")
    ('2026-02-28', '2026-03-31')
    """
    day, first = _local(at, zone).date(), _local(since, zone).date()
    elapsed = (day.year - first.year) * 12 + day.month - first.month
    number = elapsed // months
    if months_later(first, number * months) > day:
        number -= 1
    begins, ends = (months_later(first, count * months) for count in (number, number + 1))
    return _instant(begins, time(), zone), _instant(ends, time(), zone)


def end_of_month(at: int, later: int, zone: str) -> int:
    """Return the first instant after the local month that is ``later`` months after that of ``at``.

    >>> end_of_month(day_start("2026-12-05", "UTC"), 2, "UTC") == day_start("2027-03-01", "UTC")
    True
    """
    year, month = local_month(at, zone)
    year, month = divmod(year * 12 + month + later, 12)
    return _instant(date(year, month + 1, 1), time(), zone)


def end_of_year(at: int, later: int, zone: str) -> int:
    """Return the first instant after the local year that is ``later`` years after that of ``at``."""
    return _instant(date(local_month(at, zone)[0] + later + 1, 1, 1), time(), zone)


def local_month(at: int, zone: str) -> tuple[int, int]:
    """Return year and month of an instant."""
    local = _local(at, zone)
    return local.year, local.month
