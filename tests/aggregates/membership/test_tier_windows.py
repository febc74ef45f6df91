from __future__ import annotations

import pytest

from aggregates.membership.commands import AdjustPoints
from aggregates.membership.events import TierExtended, TierGraceStarted
from aggregates.membership.tiers.qualification import Qualification
from tests.aggregates.given import ZONE, instant
from tests.aggregates.membership.lives import Life, noon, under

DECEMBER, JANUARY = "2026-12-31T23:59", "2027-01-01T00:00"


def metric(life: Life, day: str) -> int:
    return Qualification(life.policies.newest, life.on(day)).metric(noon(day))


def test_a_calendar_year_ends_at_the_shops_midnight() -> None:
    life = under(window="calendar")
    life.buys("a", 600, DECEMBER)
    life.buys("b", 500, JANUARY)
    assert [metric(life, day) for day in (DECEMBER, JANUARY)] == [60_000, 50_000]
    assert life.state.tier == "member", "no year has 1,000"
    assert ZONE == "America/New_York", "at UTC's midnight both were bought in 2027"


def test_a_calendar_tier_is_held_to_the_end_of_the_next_year() -> None:
    life = under(window="calendar")
    life.buys("a", 1000, "2026-02-01")
    assert life.state.standing.now.valid_until == instant("2028-01-01")
    life.buys("b", 799, "2027-12-31")
    assert [life.tier(day) for day in ("2027-12-31", "2028-01-01T00:00")] == ["silver", "member"]


def test_a_calendar_tier_that_is_kept_runs_on_for_a_year() -> None:
    life = under(window="calendar")
    life.buys("a", 1000, "2026-02-01")
    life.buys("b", 800, "2027-05-01")
    (extended,) = life.ticks("2028-06-01")
    assert isinstance(extended, TierExtended)
    assert (extended.qualifying, extended.valid_until, extended.at) == (80_000, instant("2029-01-01"), instant("2028-01-01"))


def test_a_purchase_in_the_grace_of_a_calendar_year_makes_up_for_the_year_and_counts_in_the_new_one() -> None:
    life = under(window="calendar", grace_days=31)
    life.buys("a", 1000, "2026-02-01")
    life.buys("b", 700, "2027-05-01")
    started, _, extended = life.buys("c", 100, "2028-01-20")
    assert isinstance(started, TierGraceStarted)
    assert (extended.qualifying, extended.valid_until) == (80_000, instant("2029-01-01"))
    assert metric(life, "2028-01-21") == 10_000


def test_quarters_are_calendar_cycles_too() -> None:
    life = under(window="calendar", months=3)
    life.buys("a", 1000, "2026-02-01")
    assert life.state.standing.now.valid_until == instant("2026-07-01")
    assert [metric(life, day) for day in ("2026-03-31T23:59", "2026-04-01T00:00")] == [100_000, 0]


def test_an_anniversary_year_begins_with_the_day_of_the_first_purchase() -> None:
    life = under(window="anniversary")
    life.buys("a", 500, "2026-05-17")
    life.buys("b", 400, "2027-05-16T23:59")
    life.buys("c", 600, "2027-05-17T00:00")
    assert [metric(life, day) for day in ("2027-05-16T23:59", "2027-05-17")] == [90_000, 60_000]
    life.buys("d", 400, "2027-06-01")
    assert (life.state.tier, life.state.standing.now.valid_until) == ("silver", instant("2029-05-17"))


def test_the_very_first_purchase_begins_its_own_year() -> None:
    life = under(window="anniversary")
    _, raised = life.buys("a", 1000, "2028-02-29")
    assert raised.valid_until == instant("2030-02-28"), "the day before it, where there is no 29 February"
    assert life.on("2032-03-01").tier == "member"


def test_a_months_anniversary_of_31_january_is_each_months_last_day() -> None:
    life = under(window="anniversary", months=1)
    life.buys("a", 100, "2026-01-31")
    opened = Qualification(life.policies.newest, life.state)
    assert [opened.cycle(noon(day)) for day in ("2026-02-27", "2026-02-28", "2026-03-30", "2026-03-31")] == [
        (instant("2026-01-31"), instant("2026-02-28")),
        (instant("2026-02-28"), instant("2026-03-31")),
        (instant("2026-02-28"), instant("2026-03-31")),
        (instant("2026-03-31"), instant("2026-04-30")),
    ]


@pytest.mark.parametrize(
    ("begins", "ends"),
    [("2026-03-08T01:59", "2027-03-09"), ("2026-11-01T01:30", "2027-11-02"), ("2026-03-07T02:30", "2027-03-08")],
)
def test_a_year_ends_with_its_local_day_whatever_the_clocks_did(begins: str, ends: str) -> None:
    life = under()
    life.buys("a", 1000, begins)
    assert life.state.standing.now.valid_until == instant(ends)


def test_grace_over_a_change_of_clocks_ends_at_midnight() -> None:
    life = under(grace_days=10)
    life.buys("a", 1000, "2026-03-01")
    (started,) = life.ticks("2027-03-05")
    assert started.grace_until == instant("2027-03-12")
    life = under(grace_days=20)
    life.buys("a", 1000, "2026-03-01")
    (started,) = life.ticks("2027-03-05")
    assert (started.grace_until, (started.grace_until - started.at) % 86_400_000) == (instant("2027-03-22"), 23 * 3_600_000)


# What counts


def test_orders_are_counted_once_each_whatever_they_cost() -> None:
    life = under(metric="orders")
    for number in range(999):
        life.buys(f"o-{number}", 1, "2026-01-10")
    assert life.state.tier == "member"
    _, raised = life.buys("the thousandth", 1, "2026-01-11")
    assert (raised.tier, raised.qualifying) == ("silver", 1000)


def test_an_order_that_is_returned_in_part_still_counts_as_one() -> None:
    life = under(metric="orders")
    for number in range(1000):
        life.buys(f"o-{number}", 2, "2026-01-10")
    life.returns("o-1", "2026-01-11", keeps=1)
    assert life.state.tier == "silver"
    clawed, lowered = life.returns("o-1", "2026-01-12")
    assert (clawed.qualifying, lowered.tier) == (999, "member")


def test_points_count_with_their_multiplier_and_not_less_for_being_spent() -> None:
    life = under(metric="points")
    life.buys("a", 1000, "2026-01-10")
    granted = life.buys("b", 100, "2026-01-11")[0]
    assert (life.state.tier, granted.points, granted.qualifying) == ("silver", 125, 1125)
    (clawed,) = life.returns("b", "2026-01-12")
    assert clawed.qualifying == 1000


def test_spending_points_lowers_no_tier() -> None:
    life = under(metric="points")
    life.buys("a", 1000, "2026-01-10")
    assert metric(life, "2026-02-10") == 1000


def test_only_points_of_the_wallets_that_the_policy_names_count() -> None:
    stars = under(metric="points", wallets=("stars",))
    stars.buys("a", 3000, "2026-01-10")
    assert (stars.state.tier, metric(stars, "2026-01-11")) == ("member", 0)


def test_purchases_are_no_engagement() -> None:
    life = under(metric="engagement")
    life.buys("a", 3000, "2026-01-10")
    assert (life.state.tier, metric(life, "2026-01-11")) == ("member", 0)


def test_points_given_by_hand_count_towards_no_tier() -> None:
    life = under(metric="points")
    life.do(AdjustPoints("m", "gift", 5000, "an apology", "ada", noon("2026-01-10")))
    assert (life.state.tier, metric(life, "2026-01-11")) == ("member", 0)
