from __future__ import annotations

import pytest

from aggregates.membership.tiers.qualification import PACE, Qualification, progress_to_next
from aggregates.membership.tiers.state import TierProgress
from tests.aggregates.given import DAY, instant
from tests.aggregates.membership.lives import Life, noon, under


def way(life: Life, day: str) -> TierProgress:
    now = noon(day)
    counting = Qualification(life.policies.at(now), life.on(day))
    return progress_to_next(life.tier(day), counting.metric(now), now, counting)


def test_the_way_of_a_new_member_is_the_whole_threshold() -> None:
    assert way(under(), "2026-01-01") == TierProgress("spend", "silver", 100_000, 0, None)


def test_above_the_highest_tier_there_is_no_way_but_spend_still_leaves() -> None:
    life = under()
    life.buys("a", 3000, "2026-01-10")
    assert way(life, "2026-12-20") == TierProgress("spend", None, 0, 300_000, None)


def test_what_leaves_is_what_is_a_year_old_within_thirty_days() -> None:
    life = under()
    for order, major, day in (("a", 100, "2026-01-10"), ("b", 200, "2026-01-20"), ("c", 300, "2026-02-20")):
        life.buys(order, major, day)
    assert [way(life, day).leaving for day in ("2026-12-01", "2026-12-12", "2026-12-21", "2027-01-11", "2027-01-21")] == [
        0,
        10_000,
        30_000,
        20_000,
        30_000,
    ]


def test_a_calendar_year_leaves_as_a_whole() -> None:
    life = under(window="calendar")
    life.buys("a", 100, "2026-01-10")
    life.buys("b", 200, "2026-11-20")
    assert [way(life, day).leaving for day in ("2026-12-01", "2026-12-03", "2027-01-02")] == [0, 30_000, 0]


def test_a_forecast_tells_the_day_if_buying_goes_on() -> None:
    life = under()
    for number in range(9):
        life.buys(f"o-{number}", 50, f"2026-03-{number + 1:02}")
    now = instant("2026-03-10T10:00")
    assert way(life, "2026-03-10").forecast == now + 110 * DAY, "450 in 90 days: 550 more take 110"


def test_a_forecast_counts_what_will_leave_meanwhile() -> None:
    life = under()
    life.buys("old", 500, "2025-06-01")
    life.buys("new", 270, "2026-04-20")
    told = way(life, "2026-05-01").forecast
    assert told is not None
    assert told > noon("2026-05-01") + 230 * PACE // 270, "the old 500 leave on 1 June"


@pytest.mark.parametrize("day", ["2026-03-01", "2026-12-01"])
def test_who_buys_too_little_or_no_more_gets_no_forecast(day: str) -> None:
    life = under()
    life.buys("a", 100, "2026-02-01")
    assert way(life, day).forecast is None


def test_a_forecast_in_a_calendar_year_begins_anew_with_the_next() -> None:
    life = under(window="calendar")
    life.buys("a", 450, "2026-03-01")
    assert way(life, "2026-03-10").forecast == noon("2026-03-10") + 110 * DAY
    life.buys("b", 450, "2026-10-01")
    assert way(life, "2026-10-20").forecast == noon("2026-10-20") + 100 * PACE // 450
    late = under(window="calendar")
    late.buys("a", 450, "2026-11-01")
    assert way(late, "2026-12-20").forecast == instant("2027-01-01") + 1000 * PACE // 450


def test_a_way_already_gone_is_reached_now() -> None:
    life = under()
    life.buys("a", 1000, "2026-01-10")
    life.sets("p", "pin", "member", "2026-01-11")
    assert way(life, "2026-01-12") == TierProgress("spend", "silver", 0, 0, noon("2026-01-12"))
