from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.calendar import add_days, add_months, day_start, end_of_day, local_day
from tests.aggregates.given import ZONE, instant

HOUR = 3_600_000
ZONES = st.sampled_from([ZONE, "UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"])
INSTANTS = st.integers(instant("2015-01-01"), instant("2035-01-01"))


def test_the_year_ends_at_the_shops_midnight_not_at_utcs() -> None:
    midnight = round(datetime(2027, 1, 1, 5, tzinfo=UTC).timestamp() * 1000)
    assert local_day(midnight - 1, ZONE) == "2026-12-31"
    assert local_day(midnight, ZONE) == "2027-01-01"
    assert end_of_day(midnight - 1, ZONE) == midnight
    assert day_start("2027-01-01", ZONE) == midnight


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-06-01", 24)])
def test_a_day_has_23_or_25_hours_when_the_clock_changes(day: str, hours: int) -> None:
    assert end_of_day(day_start(day, ZONE), ZONE) - day_start(day, ZONE) == hours * HOUR


@pytest.mark.parametrize(("local", "hours"), [("2026-03-07T12:00", 23), ("2026-10-31T12:00", 25), ("2026-06-01T12:00", 24)])
def test_a_day_later_is_the_same_local_time(local: str, hours: int) -> None:
    assert add_days(instant(local), 1, ZONE) - instant(local) == hours * HOUR


def test_a_local_time_that_spring_skips_moves_on_by_the_gap() -> None:
    assert add_days(instant("2026-03-07T02:30"), 1, ZONE) == instant("2026-03-08T03:30")
    assert add_months(instant("2026-02-08T02:30"), 1, ZONE) == instant("2026-03-08T03:30")


def test_a_local_time_that_autumn_repeats_means_the_first() -> None:
    first = round(datetime(2026, 11, 1, 5, 30, tzinfo=UTC).timestamp() * 1000)
    assert add_days(instant("2026-10-31T01:30"), 1, ZONE) == first
    assert add_months(instant("2026-10-01T01:30"), 1, ZONE) == first


def test_the_second_of_two_equal_local_times_moves_to_the_first_of_another_day() -> None:
    second = round(datetime(2020, 11, 1, 6, 30, tzinfo=UTC).timestamp() * 1000)
    first = round(datetime(2026, 11, 1, 5, 30, tzinfo=UTC).timestamp() * 1000)
    assert add_months(second, 72, ZONE) == first
    in_berlin = round(datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp() * 1000)
    assert add_days(in_berlin, 154, "Europe/Berlin") == instant("2027-03-28T03:30", "Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-01-31", 3, "2026-04-30"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2028-02-29", 48, "2032-02-29"),
        ("2028-02-29", -12, "2027-02-28"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-01-31", -2, "2025-11-30"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-15", -1, "2025-12-15"),
    ],
)
def test_months_keep_the_day_clipped_to_the_end_of_the_month(start: str, months: int, end: str) -> None:
    assert add_months(instant(f"{start}T18:45"), months, ZONE) == instant(f"{end}T18:45")


def test_the_millisecond_is_kept() -> None:
    at = instant("2026-01-10T09:00") + 123
    assert add_days(at, 3, ZONE) == instant("2026-01-13T09:00") + 123
    assert add_months(at, 3, ZONE) == instant("2026-04-10T09:00") + 123


@given(INSTANTS, ZONES)
def test_an_instant_lies_within_its_own_day(at: int, zone: str) -> None:
    day = local_day(at, zone)
    assert day == datetime.fromtimestamp(at // 1000, UTC).astimezone(ZoneInfo(zone)).date().isoformat()
    assert day_start(day, zone) <= at < end_of_day(at, zone)


@given(INSTANTS, ZONES)
def test_one_day_ends_where_the_next_begins(at: int, zone: str) -> None:
    end = end_of_day(at, zone)
    tomorrow = datetime.fromisoformat(local_day(at, zone)) + timedelta(days=1)
    assert end == day_start(tomorrow.date().isoformat(), zone)
    assert local_day(end - 1, zone) == local_day(at, zone)


@given(INSTANTS, st.integers(-400, 400), ZONES)
def test_adding_days_moves_the_calendar_by_so_many_days(at: int, days: int, zone: str) -> None:
    noon = day_start(local_day(at, zone), zone) + 12 * HOUR
    expected = datetime.fromisoformat(local_day(noon, zone)) + timedelta(days=days)
    assert local_day(add_days(noon, days, zone), zone) == expected.date().isoformat()
