from __future__ import annotations

from typing import Any

import pytest

from aggregates.membership.events import TierExtended, TierGraceStarted, TierLowered
from aggregates.membership.tiers.qualification import Qualification, progress_to_next
from aggregates.programme import Tier
from aggregates.value import replace
from tests.aggregates.given import instant
from tests.aggregates.membership.lives import Life, noon, under


def silver(**rules: Any) -> Life:
    life = under(**rules)
    life.buys("a", 800, "2026-01-10")
    life.buys("b", 400, "2026-03-05")
    return life


def test_the_worked_example() -> None:
    """Membership semantics 2.2, to the unit."""
    life = under(grace_days=30)
    life.buys("a", 800, "2026-01-10")
    (_, raised) = life.buys("b", 400, "2026-03-05")
    assert (raised.tier, raised.qualifying, raised.valid_until) == ("silver", 120_000, instant("2027-03-06"))
    (_, raised) = life.buys("c", 1900, "2026-08-20")
    assert (raised.tier, raised.qualifying) == ("gold", 310_000)
    (_, lowered) = life.returns("c", "2026-09-01")
    assert (lowered.tier, lowered.qualifying, lowered.valid_until) == ("silver", 120_000, instant("2027-03-06"))
    now = noon("2026-12-20")
    way = progress_to_next("silver", 120_000, now, Qualification(life.policies.at(now), life.on("2026-12-20")))
    assert (way.tier, way.missing, way.leaving) == ("gold", 180_000, 80_000), "1800 to Gold, 800 leave within 30 days"
    (started,) = life.ticks("2027-03-06")
    assert isinstance(started, TierGraceStarted)
    assert (started.qualifying, started.needed, started.grace_until) == (0, 80_000, instant("2027-04-05"))
    assert life.tier("2027-04-04") == "silver"
    (_, extended) = life.buys("d", 900, "2027-03-20")
    assert isinstance(extended, TierExtended)
    assert (extended.tier, extended.qualifying, extended.valid_until) == ("silver", 90_000, instant("2028-03-06"))


def test_grace_that_passes_unused_ends_at_its_own_instant() -> None:
    life = silver(grace_days=30)
    assert [life.tier(day) for day in ("2027-03-06", "2027-04-04T23:59", "2027-04-05T00:00")] == ["silver", "silver", "member"]
    started, lowered = life.ticks("2027-09-01")
    assert isinstance(lowered, TierLowered)
    assert (started.at, lowered.at, lowered.reason) == (instant("2027-03-06"), instant("2027-04-05"), "review")


def test_one_dollar_short_in_the_grace_is_lost() -> None:
    life = silver(grace_days=30)
    life.buys("d", 799, "2027-03-20")
    assert life.state.standing.grace_until == instant("2027-04-05")
    assert life.tier("2027-04-06") == "member"


def test_what_was_made_up_for_in_parts_counts_together() -> None:
    life = silver(grace_days=30)
    life.buys("d", 500, "2027-03-10")
    life.buys("e", 300, "2027-04-04")
    assert (life.tier("2027-04-06"), life.state.standing.grace_until) == ("silver", None)


def test_a_tier_that_a_new_policy_does_not_know_is_not_kept_by_a_purchase_in_its_grace() -> None:
    life = silver(grace_days=30)
    life.ticks("2027-03-07")
    without = replace(life.policies.newest, tiers=(Tier("vip", threshold=5000, keep=5000),))
    life.policies = life.policies.with_version(without, noon("2027-03-08"))
    life.buys("d", 10, "2027-03-20")
    assert life.state.standing.grace_until == instant("2027-04-05")
    assert life.tier("2027-04-05") == "member"


def test_an_upgrade_in_the_grace_ends_it() -> None:
    life = silver(grace_days=30)
    life.buys("d", 3000, "2027-03-20")
    assert (life.state.standing.now.tier, life.state.standing.grace_until) == ("gold", None)
    life.returns("d", "2027-03-25")
    assert (life.state.standing.now.tier, life.state.standing.grace_until) == ("silver", instant("2027-04-05"))
    life.buys("e", 800, "2027-04-01")
    assert life.state.standing.now.valid_until == instant("2028-03-06"), "still counted from the old date"


@pytest.mark.parametrize(("downgrade", "tier"), [("one_down", "silver"), ("to_metric", "member"), ("base", "member")])
def test_gold_without_a_purchase_falls_as_the_policy_says(downgrade: str, tier: str) -> None:
    life = under(downgrade=downgrade)
    life.buys("a", 3000, "2026-03-05")
    assert life.tier("2027-03-06") == tier


@pytest.mark.parametrize(("downgrade", "tier"), [("one_down", "silver"), ("to_metric", "silver"), ("base", "member")])
def test_gold_that_would_still_keep_silver_falls_as_the_policy_says(downgrade: str, tier: str) -> None:
    life = under(downgrade=downgrade)
    life.buys("a", 3000, "2026-03-05")
    life.buys("b", 1000, "2026-12-05")
    assert life.tier("2027-03-06") == tier


def test_one_down_falls_a_tier_a_year_from_the_old_date() -> None:
    life = under(downgrade="one_down", grace_days=10)
    life.buys("a", 3000, "2026-03-05")
    life.ticks("2029-01-01")
    assert [(event.tier, event.at) for event in life.changes if isinstance(event, TierLowered)] == [
        ("silver", instant("2027-03-16")),
        ("member", instant("2028-03-16")),
    ]


@pytest.mark.parametrize(
    ("revoke", "days", "day", "tier"),
    [
        ("never", None, "2026-03-06", "silver"),
        ("within", None, "2026-03-19T09:59", "member"),
        ("within", None, "2026-03-19T10:00", "silver"),
        ("within", 60, "2026-05-01", "member"),
        ("within", 0, "2026-03-05T10:01", "silver"),
        ("always", None, "2027-03-05", "member"),
    ],
)
def test_a_reversal_takes_an_upgrade_back_as_the_policy_says(revoke: str, days: int | None, day: str, tier: str) -> None:
    life = silver(revoke=revoke, revoke_days=days)
    life.returns("b", day)
    assert life.state.tier == tier


def test_always_means_after_a_review_too_by_what_keeps_the_tier() -> None:
    life = silver(revoke="always")
    life.buys("c", 900, "2027-03-01")
    life.buys("d", 100, "2027-03-10")
    assert life.state.standing.now.valid_until == instant("2028-03-06")
    life.returns("d", "2027-06-01")
    assert life.state.tier == "silver", "900 keep it"
    life.returns("c", "2027-06-02")
    assert life.state.tier == "member"


def test_an_upgrade_is_provisional_as_long_as_it_may_be_taken_back_if_the_policy_shows_it() -> None:
    shown, hidden = silver(provisional=True), silver()
    assert [life.changes[0].provisional_until for life in (shown, hidden)] == [instant("2026-03-19T10:00"), None]
    assert [life.changes[0].revocable_until for life in (shown, hidden)] == [instant("2026-03-19T10:00")] * 2


def test_a_tier_that_comes_back_after_its_review_was_due_is_reviewed_at_once() -> None:
    life = silver(revoke="within", revoke_days=400)
    life.buys("c", 3000, "2026-08-20")
    _, lowered, reviewed = life.returns("c", "2027-04-01")
    assert (lowered.tier, lowered.valid_until) == ("silver", instant("2027-03-06"))
    assert (reviewed.tier, reviewed.at) == ("member", lowered.at)
    assert life.state.standing.due is None
