from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.streams.imports.lines import NOON, NOW, code, line, read


@pytest.mark.parametrize(
    "written",
    [
        "2024-05-01T12:00:00Z",
        "2024-05-01T12:00:00+00:00",
        "2024-05-01 14:00:00.000+02:00",
        "2024-05-01T12:00Z",
        "20240501T120000Z",
        "2024-W18-3T12:00Z",
        "2024-05-01T12:00:00.0009999Z",
        "2024-05-01t12:00:00z",
        "2024-05-01T12:00:00-00:00",
        "2024-05-01T14:00:00+02",
        "2024-05-01T14:00:00+0200",
        "2024W183T120000,0Z",
        "2024-05-01T12Z",
        NOON,
        float(NOON),
    ],
)
def test_an_instant_may_be_written_in_many_ways(written: object) -> None:
    assert read(line("view", at=written)).line.at == NOON


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("2024-05-01T24:00:00Z", "2024-05-02T00:00:00Z"),
        ("2024-02-28T24:00:00.000+01:00", "2024-02-28T23:00:00Z"),
        ("2023-12-31T24Z", "2024-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250Z"),
        ("2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z"),
        ("2015-06-30T23:59:60-00:00", "2015-07-01T00:00:00Z"),
    ],
)
def test_midnight_at_24_is_the_next_day_and_a_leap_second_the_second_after(written: str, same: str) -> None:
    assert read(line("view", at=written)).line.at == read(line("view", at=same)).line.at


def test_a_local_day_may_end_at_24() -> None:
    late = read(line("view", at="2024-03-30T24:00"), zone="Europe/Berlin").line.at
    assert late == read(line("view", at="2024-03-31"), zone="Europe/Berlin").line.at


def test_milliseconds_are_kept_and_finer_parts_cut_off() -> None:
    assert read(line("view", at="1970-01-01T00:00:00.001999Z")).line.at == 1


@pytest.mark.parametrize("written", ["2024-05-01T12:00:00", "2024-05-01", "20240501"])
def test_an_instant_without_an_offset_needs_the_shops_zone(written: str) -> None:
    assert code(line("view", at=written)) == "instant_without_zone"
    local = datetime.fromisoformat(written).replace(tzinfo=ZoneInfo("America/New_York"))
    assert read(line("view", at=written), zone="America/New_York").line.at == local.timestamp() * 1000


def test_an_offset_wins_over_the_shops_zone() -> None:
    assert read(line("view", at="2024-05-01T12:00:00Z"), zone="America/New_York").line.at == NOON


def test_skipped_local_times_move_on_and_repeated_ones_are_the_first() -> None:
    skipped, after = (read(line("view", at=f"2024-03-31T{time}"), zone="Europe/Berlin").line.at for time in ("02:30", "03:30"))
    assert skipped == after
    twice = read(line("view", at="2023-10-29T02:30"), zone="Europe/Berlin").line.at
    assert twice == read(line("view", at="2023-10-29T02:30+02:00")).line.at


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "Pacific/Apia"])
@pytest.mark.parametrize(
    "written",
    ["", "yesterday", "2024-02-30T12:00Z", "2024-05-01T25:00Z", "2024-05-01T12:00:60Z", "2024-05-01T23:59:60Z", "12:00Z",
     "2023-02-29", "2024-05-01T24:00:01Z", "2024-05-01T24:01Z", "2024-05-01T12:00:61Z", "2024-05-01T12:60Z",
     "2024-05-01T12:00:00+24:00", "2024-05-01T12:00:00+01:60", "2024-05-01T12:00:00−02:00", "2024-123T10:00:00Z",
     "2024-05-01T12:00:00 Z", "2024-05-01T12:00:00 +02:00", "2024-05-01T12:00:00.Z", "2024-05-01x12:00:00Z",
     "2024-05-01T1200:00Z", "2024-5-1T12:00:00Z", "2024-W54-1", "2024-05-01T", " 2024-05-01", "2024-05-01T12:00:00+02:00:30",
     f"{NOON}", "2012101500000",
     "٢٠٢٤-٠٥-٠١T12:00Z", True, [], {}, 1e300, NOON + 0.5],
)  # fmt: skip
def test_an_invalid_instant_is_rejected(written: object, zone: str | None) -> None:
    assert code(line("view", at=written), zone=zone) == "instant_invalid"


@pytest.mark.parametrize("written", [0, 1_714_564_800, 10**11 - 1, 1714564800.25])
def test_a_small_number_is_taken_for_seconds(written: object) -> None:
    assert code(line("view", at=written)) == "instant_in_seconds"


@pytest.mark.parametrize(
    "written", ["1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00+14:00", "1970-01-01T00:00+00:01", -1, -0.5, -1e300]
)
def test_an_instant_before_1970_is_rejected(written: object) -> None:
    assert code(line("view", at=written)) == "instant_too_early"


def test_the_first_and_last_year_are_handled() -> None:
    assert code(line("view", at="0001-01-01T00:00"), zone="Asia/Tokyo") == "instant_too_early"
    assert code(line("view", at="9999-12-31T23:59"), zone="Pacific/Honolulu") == "instant_in_future"
    assert code(line("view", at="9999-12-31T23:59:59.999999-23:59")) == "instant_in_future"


def test_more_than_a_day_in_the_future_is_rejected() -> None:
    assert read(line("view", at=NOW + 86_400_000)).line.at == NOW + 86_400_000
    assert code(line("view", at=NOW + 86_400_001)) == "instant_in_future"


def test_a_coupon_may_end_in_the_future() -> None:
    assert read(line("coupon_sent", ends=NOW * 2)).line.ends == NOW * 2  # type: ignore[attr-defined]
