"""Points for what a member does besides buying: with limits, in streaks, in missions."""

from __future__ import annotations

from typing import Any

import pytest

from aggregates.behaviour import Shared
from aggregates.decider import Context
from aggregates.member import MemberRegistered
from aggregates.membership.commands import RecordAction, TagMember
from aggregates.membership.earning.formula import BoughtLine
from aggregates.membership.events import ActionRecorded, MissionAdvanced, PointsGranted, StreakExtended, TierRaised
from aggregates.programme import (
    Audience,
    Earning,
    EventRule,
    Mission,
    Qualifying,
    Selection,
    Step,
    StreakRule,
    Tier,
    Validity,
    Wallet,
)
from aggregates.reactions import react
from aggregates.review import ProductReviewed
from tests.aggregates.given import DAY, instant, refusing
from tests.aggregates.membership.lives import Ledger, policies

NOW = instant("2026-11-25T12:00", "UTC")  # a Wednesday
REVIEW = EventRule("reviews", "review", 20, limit=2, per="week")


def earning(*wallets: Wallet, **rules: Any) -> Ledger:
    return Ledger(policies(*wallets, earning=Earning(**rules)))


def done(ledger: Ledger, action: str, occurrence: str, at: int = NOW) -> list[int]:
    """The points that it brings at once."""
    decided = ledger.give(RecordAction("m", action, occurrence, at))
    return [event.points for event in decided if isinstance(event, PointsGranted)]


def test_what_a_rule_rewards_can_be_spent_at_once_and_lives_as_long_as_its_wallet_says() -> None:
    ledger = earning(Wallet(validity=Validity("days", 10)), events=(REVIEW,))
    assert done(ledger, "review", "tea") == [20]
    assert (ledger.state.available(NOW), ledger.state.available(NOW + 11 * DAY)) == (20, 0)
    (granted,) = [event for event in ledger.events if isinstance(event, PointsGranted)]
    assert (granted.rule, granted.order, granted.terms, granted.period) == ("reviews", None, 1, "2026-11-23")


def test_the_same_occurrence_counts_once() -> None:
    ledger = earning(events=(REVIEW,))
    assert [done(ledger, "review", "tea"), done(ledger, "review", "tea", NOW + DAY)] == [[20], []]


def test_what_no_rule_is_about_changes_nothing() -> None:
    assert earning(events=(REVIEW,)).give(RecordAction("m", "yodel", "1", NOW)) == []


def test_every_review_of_its_own_product_and_order_earns() -> None:
    ledger = earning(events=(EventRule("reviewed", "review", 5),))
    long = "p" * 200
    reviewed = [("tea", "1"), ("tea/1", None), ("tea%2F1", None), (long, None), (long, "1"), (long, "2"), ("tea", None)]
    for product, order in reviewed * 2:
        told = ProductReviewed(product=product, member="m", session=None, half_stars=9, text=None, order=order, at=NOW)
        for command in react(told, Context(ledger.policies)):
            ledger.decide(command)
    assert ledger.state.available(NOW) == 5 * len(reviewed)


@pytest.mark.parametrize(
    ("per", "later"), [("day", 1), ("week", 5), ("month", 6), ("year", 37)], ids=["day", "week", "month", "year"]
)
def test_a_limit_holds_within_its_local_period_and_not_beyond(per: Any, later: int) -> None:
    ledger = earning(events=(EventRule("r", "review", 5, limit=2, per=per),))
    end = NOW + later * DAY - NOW % DAY
    found = [done(ledger, "review", f"{number}", at) for number, at in enumerate((NOW, NOW, NOW, end - 1, end))]
    assert found == [[5], [5], [], [], [5]]


def test_a_rule_of_some_tier_or_tag_is_for_those_alone() -> None:
    vip = EventRule("r", "survey", 5, audience=Audience(tags=("vip",)))
    ledger = earning(events=(vip,))
    assert done(ledger, "survey", "1") == []
    ledger.give(TagMember("m", ("vip", "early"), "kim", NOW))
    assert ledger.give(TagMember("m", ("early", "vip"), "kim", NOW)) == []
    assert done(ledger, "survey", "2") == [5]


def test_days_in_a_row_earn_more_and_a_day_left_out_begins_anew() -> None:
    ledger = earning(streaks=(StreakRule("daily", (1, 2, 5)),))
    days = (0, 0, 1, 2, 3, 5, 6)
    found = [done(ledger, "check_in", f"{number}", NOW + day * DAY) for number, day in enumerate(days)]
    assert found == [[1], [], [2], [5], [5], [1], [2]]
    lengths = [event.length for event in ledger.events if isinstance(event, StreakExtended)]
    assert lengths == [1, 2, 3, 4, 1, 2]


def test_a_row_may_begin_again_after_its_last_day() -> None:
    ledger = earning(streaks=(StreakRule("daily", (1, 9), restarts=True),))
    assert [done(ledger, "check_in", f"{day}", NOW + day * DAY) for day in range(4)] == [[1], [9], [1], [9]]


def test_a_mission_pays_when_all_its_steps_are_done_and_only_as_often_as_it_says() -> None:
    steps = (Step("review", times=2), Step("share"))
    ledger = earning(missions=(Mission("fan", steps, 100),))
    acts = ("review", "share", "share", "review", "review", "review", "share")
    assert [done(ledger, act, f"{number}") for number, act in enumerate(acts)] == [[], [], [], [100], [], [], []]
    assert sum(isinstance(event, MissionAdvanced) for event in ledger.events) == 3


def test_a_mission_in_order_waits_for_its_next_step_and_ends_with_its_days() -> None:
    steps = (Step("review"), Step("share"))
    ledger = earning(missions=(Mission("fan", steps, 100, in_order=True, within_days=7, repeats=2),))
    acts = (("share", 0), ("review", 0), ("share", 7), ("review", 7), ("share", 13))
    assert [done(ledger, act, f"{n}", NOW + day * DAY) for n, (act, day) in enumerate(acts)] == [[], [], [], [], [100]]


def test_a_mission_of_which_a_later_policy_asks_less_than_was_done_begins_anew_and_can_be_completed() -> None:
    ledger = earning(missions=(Mission("fan", (Step("review", times=3),), 100),))
    assert [done(ledger, "review", f"{number}") for number in range(2)] == [[], []]
    easier = policies(earning=Earning(missions=(Mission("fan", (Step("review", times=2),), 100),))).newest
    ledger.policies = ledger.policies.with_version(easier, NOW + DAY)
    assert [done(ledger, "review", f"{number}", NOW + DAY) for number in range(2, 6)] == [[], [100], [], []]


def test_a_purchase_is_a_step_of_a_mission_if_it_is_large_enough_and_of_the_right_goods() -> None:
    step = Step("purchase", times=2, minimum=30, only=Selection(categories=("tea",)))
    ledger = earning(missions=(Mission("drinker", (step,), 50),))
    tea, milk = BoughtLine("earl", 4_000, None, "tea"), BoughtLine("milk", 4_000, None, "dairy")
    for number, (net, lines) in enumerate(((2_999, (tea,)), (4_000, (tea,)), (4_000, (milk,)), (8_000, (milk, tea)))):
        ledger.buy(f"{number}", net, NOW, lines)
    granted = [event for event in ledger.events if isinstance(event, PointsGranted) and event.rule == "drinker"]
    assert [(event.points, event.lot) for event in granted] == [(50, "drinker+3")]


def test_what_members_do_may_lead_to_a_tier_by_engagement() -> None:
    terms = {
        "earning": Earning(events=(EventRule("r", "review", 30),)),
        "qualifying": Qualifying(metric="engagement"),
        "tiers": (Tier("fan", threshold=60, keep=30),),
    }
    ledger = Ledger(policies(**terms))
    ledger.buy("o", 100_000, NOW)
    done(ledger, "review", "1")
    assert ledger.state.tier == "member"
    done(ledger, "review", "2")
    (raised,) = [event for event in ledger.events if isinstance(event, TierRaised)]
    assert (raised.tier, raised.qualifying) == ("fan", 60)


def test_an_anniversary_of_engagement_is_that_of_what_was_done_first_whether_or_not_anything_is_bought() -> None:
    terms = {
        "earning": Earning(events=(EventRule("r", "review", 30),)),
        "qualifying": Qualifying(metric="engagement", window="anniversary"),
        "tiers": (Tier("fan", threshold=90, keep=90),),
    }
    ledger = Ledger(policies(**terms))
    for days in range(3):
        done(ledger, "review", f"{days}", NOW + days * DAY)
        ledger.buy(f"{days}", 100_000, NOW + days * DAY + DAY // 2)
    (raised,) = [event for event in ledger.events if isinstance(event, TierRaised)]
    assert (raised.qualifying, raised.at) == (90, NOW + 2 * DAY)
    assert raised.valid_until == instant("2028-11-25", "UTC"), "the end of the cycle after this one"


def test_facts_of_the_shop_are_actions_where_a_rule_names_them() -> None:
    known = policies(earning=Earning(events=tuple(EventRule(name, name, 5) for name in ("sign_up", "review", "share"))))
    for fact, action, occurrence in (
        (MemberRegistered(member="m", name=None, email=None, birthday=None, profile={}, at=NOW), "sign_up", "sign_up"),
        (
            ProductReviewed(product="tea", member="m", session=None, half_stars=9, text=None, order="o", at=NOW),
            "review",
            "tea/o",
        ),
        (Shared(product="tea", member="m", session=None, at=NOW), "share", "tea"),
    ):
        assert react(fact, Context(known)) == [RecordAction("m", action, occurrence, NOW)]
        assert react(fact, Context(known), {"m"}) == []
        assert react(fact, Context(policies())) == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (RecordAction("m", "", "1", NOW), "action_id_invalid"),
        (RecordAction("m", "review", "", NOW), "occurrence_id_invalid"),
        (RecordAction("m", "purchase", "o", NOW), "action_invalid"),
        (TagMember("m", ("",), "kim", NOW), "tag_id_invalid"),
        (TagMember("m", ("a",), "", NOW), "actor_id_invalid"),
    ],
)
def test_an_action_and_a_tag_have_names(command: Any, code: str) -> None:
    with refusing(code):
        earning(events=(REVIEW,)).give(command)


def test_every_act_is_told_even_past_the_limit() -> None:
    ledger = earning(events=(REVIEW,))
    for number in range(4):
        done(ledger, "review", f"{number}")
    assert sum(isinstance(event, ActionRecorded) for event in ledger.events) == 4
