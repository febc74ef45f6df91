"""Every zone at every clock change since 1970, held against a reference that looks at the clock every thirty seconds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from aggregates.calendar import (
    add_days,
    add_months,
    anniversary_cycle,
    calendar_cycle,
    day_start,
    end_of_day,
    end_of_month,
    end_of_year,
    local_day,
    local_month,
)
from tests.examples import many

STEP = 30
HOUR = 3600
LAST = 2_082_758_400  # 2036; from then on the rules repeat
DAY = timedelta(days=1)


@cache
def changes_in(zone: str) -> list[int]:
    """Return every change of a zone's clock, found by halving the hours between which the offset differs."""
    return list(changes_of(zone))


def changes_of(zone: str) -> Iterator[int]:
    step, before = 7 * 24 * HOUR, offset(0, zone)
    for end in range(step, LAST, step):
        after = offset(end, zone)
        if after != before:
            low, high = end - step, end
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle, zone) == before else (low, middle)
            yield high
        before = after


def offset(second: int, zone: str) -> timedelta | None:
    return datetime.fromtimestamp(second, ZoneInfo(zone)).utcoffset()


@lru_cache(100_000)
def shown(second: int, zone: str) -> datetime:
    """Return what the clock shows, without its offset."""
    return datetime.fromtimestamp(second, ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@lru_cache(1000)
def begin(day: date, zone: str) -> int:
    """Return the first second from which on the clock shows this day or a later one."""
    around = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    earlier = [second for second in range(around - 27 * HOUR, around + 27 * HOUR, STEP) if shown(second, zone).date() < day]
    return earlier[-1] + STEP


def day_of(second: int, zone: str) -> date:
    """Return the latest day that has begun."""
    day = shown(second, zone).date() + DAY
    while begin(day, zone) > second:
        day -= DAY
    return day


def at_local(wanted: datetime, zone: str) -> int:
    """Return the first second at which the clock shows a time; a skipped one is as far behind the gap as it was skipped."""
    around = int(wanted.replace(tzinfo=UTC).timestamp())
    for second in range(around - 27 * HOUR, around + 27 * HOUR, STEP):
        if wanted - timedelta(seconds=STEP) < shown(second, zone) <= wanted:
            return second + int((wanted - shown(second, zone)).total_seconds())
    before = max(second for second in range(around - 27 * HOUR, around + 27 * HOUR, STEP) if shown(second, zone) < wanted)
    return before + int((wanted - shown(before, zone)).total_seconds())


def month_later(day: date, months: int) -> date:
    """Return the day of the month, or its last one, so many months later, by counting."""
    first = day.replace(day=1)
    for _ in range(abs(months)):
        first = (first + 31 * DAY).replace(day=1) if months > 0 else (first - DAY).replace(day=1)
    last = (first + 31 * DAY).replace(day=1) - DAY
    return min(first.replace(day=min(day.day, last.day)), last)


Check = Callable[[int, str, random.Random], tuple[object, object]]


def check_day(second: int, zone: str, _: random.Random) -> tuple[object, object]:
    day = day_of(second, zone)
    found = (local_day(second * 1000 + 999, zone), day_start(day.isoformat(), zone), end_of_day(second * 1000 + 999, zone))
    return found, (day.isoformat(), begin(day, zone) * 1000, begin(day + DAY, zone) * 1000)


def check_days_later(second: int, zone: str, chance: random.Random) -> tuple[object, object]:
    days, local = chance.randint(-400, 400), shown(second, zone)
    return add_days(second * 1000 + 5, days, zone), at_local(local + days * DAY, zone) * 1000 + 5


def check_months_later(second: int, zone: str, chance: random.Random) -> tuple[object, object]:
    months, local = chance.randint(-14, 26), shown(second, zone)
    later = datetime.combine(month_later(local.date(), months), local.time())
    return add_months(second * 1000 + 5, months, zone), at_local(later, zone) * 1000 + 5


def check_month_and_year(second: int, zone: str, chance: random.Random) -> tuple[object, object]:
    day, later, at = day_of(second, zone), chance.randint(0, 14), second * 1000
    month_after, year_after = month_later(day.replace(day=1), later + 1), date(day.year + later + 1, 1, 1)
    found = (local_month(at, zone), end_of_month(at, later, zone), end_of_year(at, later, zone))
    return found, ((day.year, day.month), begin(month_after, zone) * 1000, begin(year_after, zone) * 1000)


def check_window(second: int, zone: str, chance: random.Random) -> tuple[object, object]:
    """A cycle of months of the calendar: the one among those since the year 1 in which the day lies."""
    day, months = day_of(second, zone), chance.choice((1, 2, 3, 4, 6, 12))
    starts = date(day.year, (day.month - 1) // months * months + 1, 1)
    expected = tuple(begin(start, zone) * 1000 for start in (starts, month_later(starts, months)))
    return calendar_cycle(second * 1000, months, zone), expected


def check_anniversary(second: int, zone: str, chance: random.Random) -> tuple[object, object]:
    """A cycle since the day of an earlier instant: tried one after the other."""
    since, months = second - chance.randint(0, 1500 * 24 * HOUR), chance.choice((1, 3, 12, 24))
    if since < 0:
        return 0, 0
    day, first = day_of(second, zone), day_of(since, zone)
    number = 0
    while month_later(first, (number + 1) * months) <= day:
        number += 1
    ends = (month_later(first, number * months), month_later(first, (number + 1) * months))
    return anniversary_cycle(second * 1000, months, zone, since * 1000), tuple(begin(end, zone) * 1000 for end in ends)


def check_streak(second: int, zone: str, _: random.Random) -> tuple[object, object]:
    """The day after the one of an instant is the next one: a row of days goes on across every change of the clock."""
    tomorrow = local_day(end_of_day(second * 1000, zone), zone)
    day = day_of(second, zone) + DAY
    while begin(day, zone) == begin(day + DAY, zone):  # a day that the zone skips
        day += DAY
    return tomorrow, day.isoformat()


CHECKS: list[Check] = [
    check_day,
    check_days_later,
    check_months_later,
    check_month_and_year,
    check_window,
    check_anniversary,
    check_streak,
]


def hunt(examples: int, seed: int) -> None:
    chance = random.Random(seed)
    zones, tried = sorted(available_timezones()), 0
    while tried < examples:
        zone = chance.choice(zones)
        if not changes_in(zone):
            continue
        change = chance.choice(changes_in(zone))
        near = (0, 1, 29, 30, 59, 60, 61, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR, chance.randrange(30 * HOUR))
        second = max(0, change + chance.choice((-1, 1)) * chance.choice(near))
        check = chance.choice(CHECKS)
        found, expected = check(second, zone, chance)
        assert found == expected, (check.__name__, zone, second)
        tried += 1


def test_calendars_hold_at_changes_of_the_clock() -> None:
    hunt(many(150), seed=1)


@pytest.mark.slow
def test_calendars_hold_at_ten_thousand_changes_of_the_clock() -> None:
    hunt(10_000, seed=2)


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("America/St_Johns", "1987-10-25T02:30:30"),  # 00:00:30, and at 00:01 the clock goes back to 23:01
        ("America/St_Johns", "1987-10-25T02:31:00"),
        ("Antarctica/Casey", "2010-03-04T14:30:00"),
        ("Antarctica/Casey", "2020-10-03T16:01:00"),
        ("Africa/Monrovia", "1972-01-07T00:44:30"),
        ("Pacific/Apia", "2011-12-30T09:59:59"),
        ("Pacific/Apia", "2011-12-30T10:00:00"),
        ("Pacific/Kiritimati", "1979-10-01T10:40:00"),
    ],
)
def test_calendars_hold_where_clocks_change_at_odd_times(zone: str, at: str) -> None:
    second = int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp())
    for check in CHECKS:
        for near in (-60, -30, -1, 0, 1, 30, 60):
            found, expected = check(second + near, zone, random.Random(near))
            assert found == expected, (check.__name__, near)
