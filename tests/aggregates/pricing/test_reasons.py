"""Each code that is not used says why."""

from __future__ import annotations

from typing import Any

import pytest

from aggregates.pricing.pipeline import price
from aggregates.pricing.request import Buyer, Entered, PriceRequest, PriceRules, Running
from aggregates.pricing.terms import CampaignTerms, Condition, Effect, Limits, Rung, WeeklyHours
from aggregates.pricing.trace import NotUsed
from aggregates.programme.earning import Selection
from tests.aggregates.pricing.shops import goods

NOON = 1_795_780_800_000  # Friday, 27 November 2026, 12:00 UTC
TEN = Effect(percent=(1, 10))


def reason(terms: CampaignTerms, used: dict[str, Any] | None = None, **request: Any) -> NotUsed | None:
    """Return why the code of a campaign was not used in a cart of shoes for 50.00."""
    running = Running("x", terms, **(used or {}))
    items = request.pop("items", (goods("A", 1, 5000, "shoes"),))
    trace = price(PriceRequest(items, NOON, campaigns=(running,), codes=(Entered("X", "x"),), **request)).trace
    return trace.refused[0] if trace.refused else None


def terms(effect: Effect = TEN, **more: Any) -> CampaignTerms:
    return CampaignTerms(effect, stage="code", by_code=True, **more)


@pytest.mark.parametrize(
    ("given", "used", "why"),
    [
        (terms(when=Condition(starts=NOON + 1)), {}, "not_started"),
        (terms(when=Condition(ends=NOON)), {}, "ended"),
        (terms(when=Condition(hours=(WeeklyHours(("sat",)),))), {}, "wrong_hours"),
        (terms(when=Condition(members=("m2",))), {}, "not_yours"),
        (terms(when=Condition(tags=("vip",))), {}, "not_yours"),
        (terms(when=Condition(tiers=("gold",))), {}, "wrong_tier"),
        (terms(when=Condition(first_order=True)), {}, "not_first_order"),
        (terms(limits=Limits(total=5)), {"used": 5}, "limit_reached"),
        (terms(limits=Limits(member=1)), {"used_by_member": 1}, "member_limit"),
        (terms(), {"budget_left": 0}, "budget_spent"),
        (terms(only=Selection(categories=("tea",))), {}, "nothing_matches"),
        (terms(excluded=Selection(categories=("shoes",))), {}, "excluded"),
        (terms(Effect(ladder=(Rung(9000, off=100),))), {}, "below_threshold"),
        (terms(when=Condition(amount=9000)), {}, "below_threshold"),
        (terms(when=Condition(count=3)), {}, "below_threshold"),
        (terms(Effect(fixed=0)), {}, "no_effect"),
        (terms(when=Condition(any_of=(Condition(tiers=("gold",)), Condition(tags=("vip",))))), {}, "wrong_tier"),
    ],
)
def test_a_code_says_why_it_was_not_used(given: CampaignTerms, used: dict[str, Any], why: str) -> None:
    found = reason(given, used)
    assert found is not None
    assert (found.code, found.reason) == ("X", why)


def test_what_is_missing_is_said() -> None:
    found = reason(terms(when=Condition(amount=9000)))
    assert found == NotUsed("below_threshold", "x", "X", 4000)


def test_one_of_several_conditions_is_enough() -> None:
    either = terms(when=Condition(any_of=(Condition(tiers=("gold",)), Condition(amount=5000))))
    assert reason(either) is None


def test_a_line_at_its_floor_is_not_reduced() -> None:
    found = reason(terms(), items=(goods("A", 1, 5000, floor=5000),))
    assert found is not None
    assert found.reason == "floor_reached"


def test_a_shopper_of_the_tier_may_use_it() -> None:
    assert reason(terms(when=Condition(tiers=("gold",))), shopper=Buyer("m1", "gold")) is None


@pytest.mark.parametrize("problem", ["code_unknown", "code_used"])
def test_a_code_that_the_shop_does_not_know_is_refused_alike(problem: str) -> None:
    trace = price(PriceRequest((goods("A", 1, 5000),), codes=(Entered("Y", None, problem),))).trace
    assert trace.refused == (NotUsed(problem, None, "Y"),)


def test_two_codes_of_one_campaign_count_once() -> None:
    codes = (Entered("X1", "x"), Entered("X2", "x"))
    trace = price(PriceRequest((goods("A", 1, 5000),), campaigns=(Running("x", terms()),), codes=codes)).trace
    assert trace.payable == 4500
    assert trace.refused == (NotUsed("conflicts_with", "x", "X2", 0, ("x",)),)


def test_an_activity_price_excludes_its_line_from_promotions() -> None:
    flash = Running("flash", CampaignTerms(Effect(unit=3000), stage="activity"))
    request = PriceRequest((goods("A", 1, 5000),), campaigns=(flash, Running("x", terms())), codes=(Entered("X", "x"),))
    trace = price(request).trace
    assert (trace.payable, trace.refused[0].reason) == (3000, "excluded")


def test_promotions_together_take_off_no_more_than_the_rules_allow() -> None:
    rules = PriceRules(most_off=(1, 4))
    half = Running("x", terms(Effect(percent=(1, 2))))
    trace = price(PriceRequest((goods("A", 1, 5000),), campaigns=(half,), codes=(Entered("X", "x"),), rules=rules)).trace
    assert (trace.payable, trace.steps[0].limited_by) == (3750, "max_discount")
