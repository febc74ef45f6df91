"""Local days, months and years: instants are UTC epoch milliseconds, calendars are of the programme's zone.

Days part time without gap or overlap: one begins at the first instant from which on the clock shows it or a later one. So where
the clock goes back across midnight, the minutes before are of the day before, and a day that a zone skips has no instant. Any
other local time that the clock skips moves on by the gap, and one that occurs twice is the first.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

QUARTER_HOUR = 900_000
ONE_DAY = timedelta(days=1)


def _local(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(ZoneInfo(zone))


def _instant(day: date, clock: time, zone: str) -> int:
    return round(datetime.combine(day, clock.replace(fold=0), ZoneInfo(zone)).timestamp() * 1000)


def _begin(day: date, zone: str) -> int:
    """Return the first instant from which on the clock shows this day, or a later one."""
    midnight = datetime.combine(day, time(), ZoneInfo(zone))
    first, second = (round(midnight.replace(fold=fold).timestamp()) for fold in (0, 1))
    if first < second:  # midnight occurs twice
        return 1000 * (second if _local(second * 1000 - 1000, zone).date() < day else first)
    if second < first:  # midnight is skipped: the day begins where the clock was moved
        before = midnight.replace(fold=0).utcoffset()
        while second < first:
            middle = (second + first) // 2
            if _local(middle * 1000, zone).utcoffset() == before:
                second = middle + 1
            else:
                first = middle
    return 1000 * first


def _day(at: int, zone: str) -> date:
    """Return the calendar day of an instant."""
    return date.fromisoformat(local_day(at, zone))


@lru_cache(maxsize=65_536)
def _day_of_quarter(quarter: int, zone: str) -> str | None:
    """Return the day of a quarter of an hour; None if the clock changes within it, or a day does."""
    first, last = quarter * QUARTER_HOUR, (quarter + 1) * QUARTER_HOUR - 1000
    day = _exact_day(first, zone)
    return day if day == _exact_day(last, zone) and _offset(first, zone) == _offset(last, zone) else None


def _exact_day(at: int, zone: str) -> str:
    shown = _local(at, zone).date()
    return (shown if at >= _begin(shown, zone) else shown - ONE_DAY).isoformat()


def _offset(at: int, zone: str) -> timedelta | None:
    return _local(at, zone).utcoffset()


def local_day(at: int, zone: str) -> str:
    """Return the calendar day of an instant as ISO text.

    >>> local_day(1483246799000, "America/New_York"), local_day(1483246800000, "America/New_York")
    ('2016-12-31', '2017-01-01')
    """
    return _day_of_quarter(at // QUARTER_HOUR, zone) or _exact_day(at, zone)


def day_start(day: str, zone: str) -> int:
    """Return the instant at which a calendar day begins.

    >>> day_start("2017-01-01", "America/New_York")
    1483246800000
    """
    return _begin(date.fromisoformat(day), zone)


def end_of_day(at: int, zone: str) -> int:
    """Return the first instant after the calendar day of ``at``."""
    return _begin(_day(at, zone) + ONE_DAY, zone)


def add_days(at: int, days: int, zone: str) -> int:
    """Return the same local time ``days`` later; a day has 23 or 25 hours where the clock changes.

    >>> saturday = day_start("2017-03-11", "America/New_York")
    >>> (add_days(saturday, 2, "America/New_York") - saturday) // 3_600_000
    47
    """
    shift = _days_from_quarter(at // QUARTER_HOUR, days, zone)
    return at + (_days_from(at, days, zone) if shift is None else shift)


@lru_cache(maxsize=65_536)
def _days_from_quarter(quarter: int, days: int, zone: str) -> int | None:
    """Return how much later the same local time is; None if that differs within the quarter of an hour."""
    first, last = (_days_from(at, days, zone) for at in (quarter * QUARTER_HOUR, (quarter + 1) * QUARTER_HOUR - 1000))
    return first if first == last else None


def _days_from(at: int, days: int, zone: str) -> int:
    local = _local(at, zone)
    return _instant(local.date() + timedelta(days=days), local.time(), zone) - at // 1000 * 1000


def add_months(at: int, months: int, zone: str) -> int:
    """Return the same local time and day of another month, clipped to the month's last day.

    >>> end = day_start("2024-02-29", "UTC")
    >>> add_months(end, 12, "UTC") == day_start("2025-02-28", "UTC")
    True
    """
    shift = _months_from_quarter(at // QUARTER_HOUR, months, zone)
    return at + (_months_from(at, months, zone) if shift is None else shift)


@lru_cache(maxsize=65_536)
def _months_from_quarter(quarter: int, months: int, zone: str) -> int | None:
    first, last = (_months_from(at, months, zone) for at in (quarter * QUARTER_HOUR, (quarter + 1) * QUARTER_HOUR - 1000))
    return first if first == last else None


def _months_from(at: int, months: int, zone: str) -> int:
    local = _local(at, zone)
    return _instant(months_later(local.date(), months), local.time(), zone) - at // 1000 * 1000


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
    day = _day(at, zone)
    begins = months_later(day.replace(day=1), -((day.year * 12 + day.month - 1) % months))
    return _begin(begins, zone), _begin(months_later(begins, months), zone)


def anniversary_cycle(at: int, months: int, zone: str, since: int) -> tuple[int, int]:
    """Return the same for cycles that begin with the day of ``since``; in a shorter month, with its last day.

    >>> begins, ends = anniversary_cycle(day_start("2026-02-28", "UTC"), 1, "UTC", since=day_start("2025-01-31", "UTC"))
    >>> local_day(begins, "UTC"), local_day(ends, "UTC")
    ('2026-02-28', '2026-03-31')
    """
    day, first = _day(at, zone), _day(since, zone)
    elapsed = (day.year - first.year) * 12 + day.month - first.month
    number = elapsed // months
    if months_later(first, number * months) > day:
        number -= 1
    begins, ends = (months_later(first, count * months) for count in (number, number + 1))
    return _begin(begins, zone), _begin(ends, zone)


def end_of_month(at: int, later: int, zone: str) -> int:
    """Return the first instant after the local month that is ``later`` months after that of ``at``.

    >>> end_of_month(day_start("2026-12-05", "UTC"), 2, "UTC") == day_start("2027-03-01", "UTC")
    True
    """
    year, month = local_month(at, zone)
    year, month = divmod(year * 12 + month + later, 12)
    return _begin(date(year, month + 1, 1), zone)


def end_of_year(at: int, later: int, zone: str) -> int:
    """Return the first instant after the local year that is ``later`` years after that of ``at``."""
    return _begin(date(local_month(at, zone)[0] + later + 1, 1, 1), zone)


def local_month(at: int, zone: str) -> tuple[int, int]:
    """Return year and month of an instant."""
    day = _day(at, zone)
    return day.year, day.month
