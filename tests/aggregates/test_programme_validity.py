from __future__ import annotations

import pytest

from aggregates.programme import Validity
from tests.aggregates.given import instant


@pytest.mark.parametrize(
    ("validity", "active_from", "expired"),
    [
        (Validity("days", 30), "2026-12-05T15:00", "2027-01-05"),
        (Validity("days", 0), "2026-12-05T15:00", "2026-12-06"),
        (Validity("days", 1), "2026-03-07T15:00", "2026-03-09"),  # the clock changes on the 8th
        (Validity("months", 1), "2026-01-31T00:00", "2026-03-01"),
        (Validity("months", 12), "2024-02-29T23:59", "2025-03-01"),
        (Validity("months", 6), "2026-08-31", "2027-03-01"),
        (Validity("end_of_month"), "2026-02-01", "2026-03-01"),
        (Validity("end_of_month"), "2026-01-31T23:59", "2026-02-01"),
        (Validity("end_of_month", 1), "2026-12-31T23:59", "2027-02-01"),
        (Validity("end_of_year"), "2026-01-01", "2027-01-01"),
        (Validity("end_of_year"), "2026-12-31T23:59", "2027-01-01"),
        (Validity("end_of_year", 2), "2026-06-01", "2029-01-01"),
    ],
)
def test_points_live_to_the_end_of_a_local_day(validity: Validity, active_from: str, expired: str) -> None:
    assert validity.ends(instant(active_from), "America/New_York") == instant(expired)


def test_a_tier_may_lengthen_it_by_days() -> None:
    assert Validity("end_of_year").ends(instant("2026-06-01"), "America/New_York", extra_days=31) == instant("2027-02-01")


def test_points_without_validity_never_expire() -> None:
    assert Validity().ends(instant("2026-06-01"), "America/New_York", extra_days=31) is None
