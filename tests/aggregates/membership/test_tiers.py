from __future__ import annotations

import pytest

from aggregates.decider import Context
from aggregates.membership.commands import ClawBackPoints, Command, GrantPoints
from aggregates.membership.decider import decide, membership
from aggregates.membership.events import Event, PointsGranted, TierExtended, TierLowered, TierRaised
from aggregates.membership.state import Membership
from aggregates.membership.tiers.qualification import Qualification
from aggregates.membership.tiers.state import HeldTier
from aggregates.programme import Policies
from aggregates.value import replace
from tests.aggregates.given import ZONE, instant

POLICIES = Policies.first(ZONE, "USD")
CONTEXT = Context(POLICIES)
TERMS = POLICIES.newest


def bought(order: str, major: int, day: str) -> GrantPoints:
    return GrantPoints("m", order, major * 100, instant(f"{day}T10:00"))


def returned(order: str, day: str, major: int = 0) -> ClawBackPoints:
    return ClawBackPoints("m", order, f"return of {order} on {day}", major * 100, instant(f"{day}T10:00"))


def history(*commands: Command) -> list[Event]:
    events: list[Event] = []
    for command in commands:
        events += decide(command, membership.rebuild(events), CONTEXT)
    return events


def standing(*commands: Command) -> Membership:
    return membership.rebuild(history(*commands))


def tier_changes(*commands: Command) -> list[Event]:
    return [event for event in history(*commands) if isinstance(event, TierRaised | TierExtended | TierLowered)]


SILVER = (bought("a", 800, "2026-01-10"), bought("b", 400, "2026-03-05"))
GOLD = (*SILVER, bought("c", 1900, "2026-08-20"))


def test_a_threshold_reached_raises_the_tier_at_once_to_the_end_of_the_day_a_year_later() -> None:
    (raised,) = tier_changes(*SILVER)
    assert isinstance(raised, TierRaised)
    assert (raised.tier, raised.previous, raised.qualifying) == ("silver", "member", 120_000)
    assert (raised.valid_until, raised.at) == (instant("2027-03-06"), instant("2026-03-05T10:00"))


def test_a_cent_below_the_threshold_is_not_enough() -> None:
    assert standing(GrantPoints("m", "a", 99_999, 0)).tier == "member"
    assert standing(GrantPoints("m", "a", 100_000, 0)).tier == "silver"


def test_one_purchase_may_raise_over_a_tier() -> None:
    (raised,) = tier_changes(bought("a", 3000, "2026-01-10"))
    assert isinstance(raised, TierRaised)
    assert (raised.tier, raised.previous) == ("gold", "member")


def test_an_order_earns_at_the_tier_held_before_it() -> None:
    granted = [event for event in history(*GOLD, bought("d", 100, "2026-08-21")) if isinstance(event, PointsGranted)]
    assert [(event.tier, event.points) for event in granted] == [
        ("member", 800),
        ("member", 400),
        ("silver", 2375),
        ("gold", 150),
    ]


def test_a_return_soon_after_the_upgrade_takes_it_back() -> None:
    *_, lowered = tier_changes(*GOLD, returned("c", "2026-09-01"))
    assert isinstance(lowered, TierLowered)
    assert (lowered.tier, lowered.previous, lowered.qualifying, lowered.reason) == ("silver", "gold", 120_000, "reversal")


def test_the_tier_that_an_upgrade_ended_comes_back_to_its_own_date() -> None:
    """The worked example of membership semantics 2.2: Silver to the end of 5 March 2027, whatever Gold had said."""
    raised = standing(*SILVER).standing.now
    after = standing(*GOLD, returned("c", "2026-09-01"))
    assert (
        after.standing.now
        == raised
        == HeldTier("silver", instant("2026-03-05T10:00"), instant("2027-03-06"), revocable_until=instant("2026-03-19T10:00"))
    )
    assert after.standing.before == HeldTier(), "it is taken back once"


def test_a_tier_extended_at_its_review_comes_back_with_the_date_it_was_extended_to() -> None:
    gold = (bought("a", 1000, "2025-02-10"), bought("b", 900, "2026-01-15"), bought("c", 2200, "2026-02-20"))
    kept, raised, lowered = tier_changes(*gold, returned("c", "2026-02-25"))[1:]
    assert isinstance(kept, TierExtended)
    assert isinstance(raised, TierRaised)
    assert (kept.tier, raised.tier, raised.valid_until) == ("silver", "gold", instant("2027-02-21"))
    assert isinstance(lowered, TierLowered)
    assert (lowered.tier, lowered.previous, lowered.qualifying) == ("silver", "gold", 90_000)
    assert (lowered.valid_until, lowered.reason, lowered.at) == (kept.valid_until, "reversal", instant("2026-02-25T10:00"))
    state = standing(*gold, returned("c", "2026-02-25"))
    assert state.standing.now == HeldTier("silver", instant("2025-02-10T10:00"), instant("2027-02-11"), reviewed=True)


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_return_takes_back_no_tier_whose_own_return_window_is_over(first: str) -> None:
    second = "b" if first == "a" else "a"
    given = (bought("a", 1000, "2026-03-01"), bought("b", 2000, "2026-03-10"))
    state = standing(*given, returned(first, "2026-03-20"), returned(second, "2026-03-20"))
    assert (state.tier, state.standing.now.valid_until) == ("silver", instant("2027-03-02"))


def test_both_upgrades_are_taken_back_within_their_windows() -> None:
    given = (bought("a", 1000, "2026-03-01"), bought("b", 2000, "2026-03-10"))
    state = standing(*given, returned("b", "2026-03-12"), returned("a", "2026-03-12"))
    assert state.standing.now.tier == "member"
    assert state.standing.now.valid_until is None


@pytest.mark.parametrize(("at", "tier"), [("2026-09-03T09:59", "silver"), ("2026-09-03T10:00", "gold")])
def test_an_upgrade_is_final_when_its_return_window_is_over(at: str, tier: str) -> None:
    late = replace(returned("c", "2026-09-03"), at=instant(at))
    assert standing(*GOLD, late).tier == tier


def test_a_return_that_leaves_the_threshold_reached_takes_nothing_back() -> None:
    assert standing(*GOLD, returned("c", "2026-09-01", major=1800)).tier == "gold"


def test_a_purchase_leaves_the_window_after_exactly_twelve_months() -> None:
    bought_at, gone_at = instant("2026-01-10T10:00"), instant("2027-01-10T10:00")
    state = standing(bought("a", 8, "2026-01-10"))
    spends = [Qualification(TERMS, state).metric(now) for now in (bought_at - 1, bought_at, gone_at - 1, gone_at)]
    assert spends == [0, 800, 800, 0]


def test_what_is_about_to_change_counts_at_its_own_date_as_well() -> None:
    bought_at, gone_at = instant("2026-01-10T10:00"), instant("2027-01-10T10:00")
    spends = [
        Qualification(TERMS, Membership(), bought_at, -300).metric(now)
        for now in (bought_at - 1, bought_at, gone_at - 1, gone_at)
    ]
    assert spends == [0, -300, -300, 0]


def test_spend_of_more_than_a_year_reaches_no_tier() -> None:
    assert standing(bought("a", 800, "2026-01-10"), bought("b", 400, "2027-01-10")).tier == "member"
    assert standing(bought("a", 800, "2026-01-10"), bought("b", 400, "2027-01-09")).tier == "silver"


def test_a_late_purchase_counts_in_the_window_of_its_own_date() -> None:
    late = bought("late", 900, "2025-12-31")
    assert standing(bought("a", 200, "2026-06-01"), late).tier == "silver"
    assert standing(bought("a", 200, "2027-01-01"), late).tier == "member"


# Silver was reached on 5 March 2026, so it is reviewed when 5 March 2027 is over.


@pytest.mark.parametrize(("major", "tier"), [(800, "silver"), (799, "member")])
def test_the_keep_threshold_decides_at_the_review(major: int, tier: str) -> None:
    assert standing(*SILVER, bought("d", major, "2027-03-01"), bought("e", 1, "2027-03-06")).tier == tier


def test_before_the_review_nothing_is_lost() -> None:
    assert standing(*SILVER, bought("e", 1, "2027-03-05")).tier == "silver"


def test_a_kept_tier_runs_on_from_the_old_date_however_late_the_review_is_noticed() -> None:
    *_, extended = tier_changes(*SILVER, bought("d", 800, "2027-03-05"), bought("e", 1, "2027-05-20"))
    assert isinstance(extended, TierExtended)
    assert (extended.tier, extended.qualifying) == ("silver", 80_000)
    assert (extended.valid_until, extended.at) == (instant("2028-03-06"), instant("2027-03-06"))


def test_what_was_bought_after_the_review_was_due_does_not_count_in_it() -> None:
    *_, lowered = tier_changes(*SILVER, bought("e", 999, "2027-03-06"))
    assert isinstance(lowered, TierLowered)
    assert (lowered.tier, lowered.qualifying, lowered.valid_until) == ("member", 0, None)
    assert (lowered.reason, lowered.at) == ("review", instant("2027-03-06"))


def test_gold_may_fall_to_silver_for_a_year() -> None:
    given = (bought("a", 3000, "2026-03-05"), bought("b", 2399, "2027-01-10"), bought("c", 1, "2027-04-01"))
    *_, lowered = tier_changes(*given)
    assert isinstance(lowered, TierLowered)
    assert (lowered.tier, lowered.previous, lowered.qualifying) == ("silver", "gold", 239_900)
    assert (lowered.valid_until, lowered.at) == (instant("2028-03-06"), instant("2027-03-06"))


def test_reviews_that_were_missed_are_made_up_one_by_one() -> None:
    given = (bought("a", 3000, "2026-03-05"), bought("b", 800, "2027-01-10"), bought("c", 1, "2031-01-01"))
    _, kept, lost = tier_changes(*given)
    assert isinstance(kept, TierLowered)
    assert isinstance(lost, TierLowered)
    assert [(event.tier, event.qualifying, event.valid_until) for event in (kept, lost)] == [
        ("silver", 80_000, instant("2028-03-06")),
        ("member", 0, None),
    ]


def test_a_review_that_is_due_is_settled_before_the_purchase_earns() -> None:
    lowered, granted = history(*SILVER, bought("e", 10, "2027-04-01"))[-2:]
    assert isinstance(lowered, TierLowered)
    assert isinstance(granted, PointsGranted)
    assert (granted.tier, granted.points) == ("member", 10)


def test_an_upgrade_on_29_february_holds_to_the_end_of_28_february() -> None:
    assert standing(bought("a", 1000, "2028-02-29")).standing.now.valid_until == instant("2029-03-01")


def test_reviews_do_not_drift_over_a_leap_year() -> None:
    given = (bought("a", 1000, "2027-02-28"), bought("b", 900, "2028-02-01"))
    assert standing(*given).standing.now.valid_until == instant("2028-02-29"), "the end of 28 February"
    assert standing(*given, bought("c", 1, "2028-02-29")).standing.now.valid_until == instant("2029-03-01")
    again = (bought("c", 900, "2029-02-01"), bought("d", 1, "2029-03-01"))
    assert standing(*given, *again).standing.now.valid_until == instant("2030-03-01")


def test_a_member_who_lost_a_tier_can_reach_it_again() -> None:
    assert standing(*SILVER, bought("d", 1, "2027-04-01"), bought("e", 999, "2027-05-01")).tier == "silver"
