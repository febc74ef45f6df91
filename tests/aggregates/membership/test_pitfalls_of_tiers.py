"""What other systems got wrong with tiers and limits, by where it was told; here it does not happen."""

from __future__ import annotations

from math import inf

import pytest

from aggregates.membership.commands import ClaimReward, RedeemPoints
from aggregates.membership.decider import due_at, earliest_due
from aggregates.membership.events import PointsRedeemed
from aggregates.membership.tiers.qualification import Qualification
from aggregates.programme import Policies, Programme, Reward, Tier, Wallet
from aggregates.programme.problems import problems
from aggregates.programme.terms import Metric
from aggregates.value import replace
from tests.aggregates.given import refusing
from tests.aggregates.membership.lives import Life, noon, policy, under

DAY = "2026-01-10"
AT_ONCE = (Wallet(activates="at_payment"),)


def with_terms(life: Life, **terms: object) -> Life:
    """The same rules of tiers, with other terms."""
    known = life.policies.versions[0]
    changed = replace(known, terms=replace(known.terms, **terms))
    return Life(Policies((changed,)))


@pytest.mark.parametrize("metric", ["spend", "points", "orders"])
def test_who_spends_points_keeps_the_tier_that_they_earned(metric: Metric) -> None:
    """A tier by balance falls when it is spent: https://github.com/DivanteLtd/open-loyalty/issues/131"""
    silver = Tier("silver", 1 if metric == "orders" else 1000, 1)
    life = with_terms(under(metric=metric), wallets=AT_ONCE, tiers=(silver,))
    life.buys("a", 1000, DAY)
    before = Qualification(life.policies.newest, life.state).metric(noon(DAY))
    assert any(isinstance(event, PointsRedeemed) for event in life.do(RedeemPoints("m", "all", 1000, noon(DAY))))
    assert life.state.available(noon(DAY)) == 0
    assert Qualification(life.policies.newest, life.state).metric(noon(DAY)) == before > 0
    assert [life.tier(day) for day in (DAY, "2027-01-10")] == ["silver", "silver"]


def test_a_tier_given_by_hand_is_no_floor_for_ever() -> None:
    """https://github.com/DivanteLtd/open-loyalty/issues/74"""
    life = under()
    life.sets("f", "floor", "gold", DAY, until="2026-02-01")
    assert [life.tier(day) for day in (DAY, "2026-02-01T00:00")] == ["gold", "member"]
    life.sets("g", "floor", "gold", "2026-03-01")
    assert life.tier("2030-03-01") == "gold"
    life.ends("g", "2026-03-02")
    assert life.tier("2026-03-02") == "member"


def test_nobody_has_a_tier_for_nothing_and_everybody_who_reaches_its_threshold_exactly() -> None:
    """The wrong tier at threshold 0: https://github.com/frappe/erpnext/pull/22168"""
    assert problems(Programme(tiers=(Tier("free", 0, 0),)))
    life = under()
    assert life.tier(DAY) == "member"
    life.buys("a", 999, DAY)
    assert life.tier(DAY) == "member"
    life.buys("b", 1, DAY)
    assert life.tier(DAY) == "silver"


def test_each_amount_has_the_highest_tier_that_it_reaches_and_each_order_the_rate_of_the_tier_held() -> None:
    """A tiered programme that was wrong for years: https://github.com/frappe/erpnext/pull/41564"""
    reached = {}
    for major in (0, 999, 1000, 2999, 3000, 10**6):
        life = under()
        life.buys("a", major, DAY)
        granted = life.buys("b", 100, DAY)[0]
        reached[major] = (granted.tier, granted.points)
    member, silver, gold = ("member", 100), ("silver", 125), ("gold", 150)
    assert reached == {0: member, 999: member, 1000: silver, 2999: silver, 3000: gold, 10**6: gold}


def test_time_asks_only_for_those_to_whom_it_brings_something_and_only_once() -> None:
    """A job at 100 % of a processor: https://github.com/oroinc/crm/issues/110 (what a tick reads: see its own tests)."""
    life = under()
    life.buys("a", 999, DAY)
    assert due_at(life.state) is None
    life.buys("b", 1, DAY)
    assert due_at(life.state) == life.state.standing.now.valid_until
    assert life.ticks("2027-01-10") == []
    assert len(life.ticks("2030-01-01")) == 1
    assert due_at(life.state) is None
    assert earliest_due(life.state) < inf


def test_a_limit_a_member_counts_what_this_member_had() -> None:
    """A displayed per-member limit compared with the total: https://github.com/medusajs/medusa/issues/15960"""
    mug = Reward("mug", "product", "mug", 10, stock=1000, per_member=2)
    for _ in range(3):
        life = with_terms(under(), wallets=AT_ONCE, rewards=(mug,))
        life.buys("a", 100, DAY)
        for claim in ("1", "2"):
            life.do(ClaimReward("m", claim, "mug", noon(DAY)))
        with refusing("reward_limit"):
            life.do(ClaimReward("m", "3", "mug", noon(DAY)))


def test_earned_ever_and_earned_of_late_are_two_things() -> None:
    """Open Loyalty framework: "earned points" and "earned since the last change" run the same code."""
    ways = {"2026-01-10": "2026-12-31", "2026-12-31": "2027-01-01"}
    for bought, bought_again in ways.items():
        rolling, calendar = under(), under(window="calendar")
        for life in (rolling, calendar):
            life.buys("a", 600, bought)
            life.buys("b", 600, bought_again)
        same_year = bought[:4] == bought_again[:4]
        assert (rolling.state.tier, calendar.state.tier) == ("silver", "silver" if same_year else "member")


def test_a_reversal_leaves_the_window_with_its_purchase() -> None:
    """A refund dated by itself would lower a window that never held what it takes back."""
    life = Life(policy())
    life.buys("old", 1000, "2025-01-15")
    life.buys("new", 1000, "2026-01-20")
    life.returns("old", "2026-01-25")
    assert Qualification(life.policies.newest, life.state).metric(noon("2026-01-25")) == 100_000
