"""What no type can say of terms: each is refused by its place, with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from aggregates.programme import Programme
from aggregates.programme.document import plain, read
from aggregates.programme.problems import problems

SPEND: dict[str, Any] = {"id": "purchase"}
BONUS = {"threshold": 200, "points": 100}
GEMS: dict[str, Any] = {"wallets": [{}, {"name": "gems"}]}


def tier(name: str, threshold: int, keep: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "threshold": threshold, "keep": keep, **more}


def spend(**more: Any) -> dict[str, Any]:
    return {"earning": {"spend": [SPEND | more]}}


def event(**more: Any) -> dict[str, Any]:
    return {"earning": {"events": [{"id": "e", "event": "review", "points": 5, **more}]}}


def wallet(**more: Any) -> dict[str, Any]:
    return {"wallets": [more]}


def mission(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"earning": {"missions": [{"id": "m", "steps": list(steps), "points": 1}]}}


def test_the_default_programme_has_no_problem() -> None:
    assert problems(Programme()) == []


@pytest.mark.parametrize(
    ("document", "where", "why"),
    [
        ({"wallets": []}, "wallets", "at least one wallet"),
        ({"wallets": [{}, {}]}, "wallets.1.name", "'points' is there twice"),
        (wallet(redemption={"share": "150 %"}), "wallets.0.redemption.share", "more than the whole order"),
        (wallet(redemption={"value": "0"}), "wallets.0.redemption.value", "above 0"),
        (wallet(redemption={"multiple": 0}), "wallets.0.redemption.multiple", "from 1"),
        (wallet(validity="0 days"), "wallets.0.validity", "from 1"),
        (wallet(validity="9999 months"), "wallets.0.validity", "3,660"),
        (wallet(clawback={"shortfall": "write_off", "debt_cap": 5}), "wallets.0.clawback.debt_cap", "nothing is owed"),
        (wallet(validity="end of year + 301"), "wallets.0.validity", "from 0 to 300"),
        (wallet(transfers={"daily_cap": 0}), "wallets.0.transfers.daily_cap", "from 1"),
        (wallet(transfers={"daily_cap": 9, "minimum": 10}), "wallets.0.transfers.minimum", "nothing could be sent"),
        (spend(wallet="gems"), "earning.spend.0.wallet", "no wallet 'gems'; known are points"),
        (spend(rate="9999999"), "earning.spend.0.rate", "at most"),
        (spend(cap=0), "earning.spend.0.cap", "from 1"),
        (spend(only={"products": "p"}, excluded={"products": ["q", "p"]}), "earning.spend.0.excluded.products.1", "'p'"),
        (spend(bonuses=[BONUS, BONUS]), "earning.spend.0.bonuses.1.threshold", "bonus from 200"),
        (spend(multipliers=[{"id": "a", "rate": "2"}] * 2), "earning.spend.0.multipliers.1.id", "'a' is there twice"),
        (spend(audience={"tiers": ["vip"]}), "earning.spend.0.audience.tiers.0", "known are member, silver, gold"),
        (spend(days={"first": "27.11.2026"}), "earning.spend.0.days.first", "expected a day"),
        (spend(days={"last": "2026-02-29"}), "earning.spend.0.days.last", "expected a day"),
        (spend(days={"first": "2026-12-01", "last": "2026-11-30"}), "earning.spend.0.days", "before it begins"),
        (event(event="purchase"), "earning.events.0.event", "under spend"),
        (event(per="day"), "earning.events.0.per", "without a limit"),
        (event(points=0), "earning.events.0.points", "from 1"),
        (event(id="purchase"), "earning.events.0.id", "'purchase' is there twice"),
        ({"earning": {"streaks": [{"id": "s", "points": []}]}}, "earning.streaks.0.points", "at least one day"),
        ({"earning": {"streaks": [{"id": "s", "points": [1, 0]}]}}, "earning.streaks.0.points.1", "from 1"),
        ({"earning": {"streaks": [{"id": "s", "event": "purchase", "points": [1]}]}}, "earning.streaks.0.event", "under spend"),
        ({"earning": {"missions": [{"id": "m", "steps": [], "points": 1}]}}, "earning.missions.0.steps", "one step"),
        (mission({"event": "review", "minimum": 20}), "earning.missions.0.steps.0.minimum", "only a purchase"),
        (mission({"event": "review", "only": {"products": "p"}}), "earning.missions.0.steps.0.only", "only a purchase"),
        ({"tiers": [tier("a", 10, 5), tier("a", 20, 15)]}, "tiers.1.name", "'a' is there twice"),
        ({"tiers": [tier("member", 10, 5)]}, "tiers.0.name", "everybody"),
        ({"tiers": [tier("a", 10, 11)]}, "tiers.0.keep", "keeping a asks more (11) than reaching it (10)"),
        ({"tiers": [tier("a", 10, 5), tier("b", 10, 5)]}, "tiers.1.threshold", "above that of a (10)"),
        ({"tiers": [tier("a", 10, 5), tier("b", 20, 4)]}, "tiers.1.keep", "keeping b asks less (4) than keeping a (5)"),
        ({"tiers": [tier("a", 0, 0)]}, "tiers.0.threshold", "from 1"),
        ({"tiers": [tier("a", 10, 5, multiplier="0")]}, "tiers.0.multiplier", "above 0"),
        ({"tiers": [tier(str(n), n, n) for n in range(1, 1002)]}, "tiers", "at most 1,000 entries, not 1,001"),
        ({"qualifying": {"window": "calendar", "months": 6}}, "qualifying.months", "12 months"),
        ({"qualifying": {"wallets": ["points"]}}, "qualifying.wallets", "spend is not counted in points"),
        ({"qualifying": {"metric": "points", "wallets": ["gems"]}}, "qualifying.wallets.0", "no wallet 'gems'"),
        ({"qualifying": {"revoke": "never", "revoke_days": 3}}, "qualifying.revoke_days", "never"),
        ({"qualifying": {"metric": "engagement"}}, "qualifying.metric", "no tier could be reached"),
        ({"qualifying": {"metric": "points"}, "earning": {"spend": []}}, "qualifying.metric", "no rule earns points, so"),
        (GEMS | {"qualifying": {"metric": "points", "wallets": "gems"}}, "qualifying.wallets", "no rule earns points of gems"),
        ({"rewards": [{"id": "r", "gives": "product", "item": "p", "price": 0}]}, "rewards.0.price", "from 1"),
        ({"rewards": [{"id": "r", "gives": "coupon", "item": "c", "price": 1}] * 2}, "rewards.1.id", "'r' is there twice"),
        ({"return_days": 4000}, "return_days", "from 0 to 3,660, not 4,000"),
    ],
)
def test_a_contradiction_has_a_path_and_reason(document: dict[str, Any], where: str, why: str) -> None:
    terms, unfit = read(document)
    assert not unfit
    (found,) = [reason for path, reason in problems(terms) if ".".join(map(str, path)) == where]
    assert why in found


def test_a_whole_programme_of_every_kind_of_rule_has_no_problem() -> None:
    document = {
        "wallets": [{"validity": "12 months"}, {"name": "gems", "validity": "end of year"}],
        "earning": {
            "spend": [SPEND | {"bonuses": [BONUS], "multipliers": [{"id": "tea", "rate": 2, "only": {"categories": "TEA"}}]}],
            "events": [{"id": "e", "event": "review", "points": 5, "limit": 2, "per": "day", "wallet": "gems"}],
            "streaks": [{"id": "s", "points": [1, 2, 5], "audience": {"tiers": ["member", "gold"]}}],
            "missions": [{"id": "m", "points": 50, "steps": [{"event": "review"}, {"event": "purchase", "times": 2}]}],
        },
        "qualifying": {"metric": "engagement", "wallets": ["gems"], "window": "calendar"},
        "rewards": [{"id": "r", "gives": "coupon", "item": "spring", "price": 100, "wallet": "gems", "stock": 0}],
    }
    terms, unfit = read(document)
    assert (unfit, problems(terms)) == ([], [])
    assert read(plain(terms)) == (terms, [])
