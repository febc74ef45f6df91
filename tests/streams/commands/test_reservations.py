"""Reserved uses of a campaign, a code and a budget: never one too many, and all room is there once holds lapse."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from aggregates.campaign import ChangeCampaign, LaunchCampaign
from aggregates.coupon import CouponRedeemed, RedeemReserved, ReleaseCoupon, ReserveCoupon, RestoreCoupon, coupon
from infra.settings import Settings
from streams.commands.checkout import states_in
from streams.commands.request import Request
from streams.running.app import App, running
from tests.databases import in_both_databases
from tests.shop import START
from tests.streams.imports.lines import events
from tests.streams.racers import RACERS, Racers, started

pytestmark = in_both_databases

LATER = START + 900_000


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    with started() as racers:
        yield racers


def asked(app: App, name: str, *commands: object) -> str:
    return app.handler.handle(Request(name, commands, settled=False)).code


def launched(app: App, limit: int | None) -> None:
    terms: dict[str, Any] = {"effect": {"fixed": 40}} | ({} if limit is None else {"limits": {"total": limit}})
    assert asked(app, "launch", LaunchCampaign("spring", START), ChangeCampaign("spring", terms, "ada", START)) == ""


def reserve(number: int, at: int = START, **more: Any) -> ReserveCoupon:
    return ReserveCoupon("spring", f"m-{number}", f"o-{number}", at=at, until=at + 900_000, **more)


def redeem(number: int, at: int, overrun: bool = False) -> RedeemReserved:
    return RedeemReserved("spring", f"m-{number}", f"o-{number}", at, overrun)


def test_no_more_is_reserved_than_there_is(app: App) -> None:
    launched(app, 2)
    assert [asked(app, f"r{n}", reserve(n)) for n in range(3)] == ["", "", "campaign_exhausted"]
    assert asked(app, "again", reserve(0)) == ""


def test_a_hold_that_lapsed_makes_room_without_any_job(app: App) -> None:
    launched(app, 1)
    assert asked(app, "r0", reserve(0)) == ""
    assert asked(app, "early", reserve(1, LATER - 1)) == "campaign_exhausted"
    assert asked(app, "late", reserve(1, LATER)) == ""


def test_a_hold_that_lapsed_is_redeemed_late_while_nobody_took_it(app: App) -> None:
    launched(app, 1)
    assert asked(app, "r0", reserve(0)) == ""
    assert asked(app, "paid", redeem(0, LATER + 5)) == ""
    assert asked(app, "r1", reserve(1, LATER + 9)) == "campaign_exhausted"


def test_a_payment_after_the_room_was_taken_is_honoured_outside_the_count(app: App) -> None:
    launched(app, 1)
    assert [asked(app, "r0", reserve(0)), asked(app, "r1", reserve(1, LATER))] == ["", ""]
    assert asked(app, "honoured", redeem(0, LATER + 5)) == ""
    assert states_in(app.log)(coupon, "spring", "m-0").orders["o-0"].state == "overrun"
    assert asked(app, "paid", redeem(1, LATER + 6)) == ""
    assert asked(app, "r2", reserve(2, LATER + 10**7)) == "campaign_exhausted"


def test_what_is_released_or_restored_is_there_again(app: App) -> None:
    launched(app, 1)
    assert asked(app, "r0", reserve(0)) == ""
    assert asked(app, "failed", ReleaseCoupon("spring", "m-0", "o-0", START, "failed")) == ""
    assert [asked(app, "r1", reserve(1)), asked(app, "paid", redeem(1, START))] == ["", ""]
    assert asked(app, "r2", reserve(2)) == "campaign_exhausted"
    assert asked(app, "returned", RestoreCoupon("spring", "m-1", "o-1", START)) == ""
    assert asked(app, "returned again", RestoreCoupon("spring", "m-1", "o-1", START)) == ""
    assert [asked(app, "r3", reserve(2)), asked(app, "r4", reserve(3))] == ["", "campaign_exhausted"]


def test_a_code_is_used_once_whoever_has_it(app: App) -> None:
    launched(app, None)
    assert asked(app, "r0", reserve(0, serial="17", code_limit=1)) == ""
    assert asked(app, "r1", reserve(1, serial="17", code_limit=1)) == "coupon_code_used"
    assert asked(app, "r2", reserve(1, serial="18", code_limit=1)) == ""


def test_a_budget_is_spent_by_amounts_and_each_period_has_its_own(app: App) -> None:
    launched(app, None)
    month: dict[str, Any] = {"budget": "2017-01", "budget_amount": 100}
    assert asked(app, "r0", reserve(0, amount=60, **month)) == ""
    assert asked(app, "r1", reserve(1, amount=41, **month)) == "campaign_budget_spent"
    assert asked(app, "r2", reserve(1, amount=40, **month)) == ""
    assert asked(app, "r3", reserve(2, amount=1, **month)) == "campaign_budget_spent"
    assert asked(app, "r4", reserve(2, amount=100, budget="2017-02", budget_amount=100)) == ""


def test_a_refused_request_has_taken_nothing(app: App) -> None:
    launched(app, 1)
    month: dict[str, Any] = {"budget": "2017-01", "budget_amount": 100}
    assert asked(app, "both", reserve(0, amount=60, **month), reserve(1, amount=60, **month)) == "campaign_budget_spent"
    assert asked(app, "one", reserve(2, amount=100, **month)) == ""


def test_a_campaign_without_a_limit_has_no_row_that_all_would_wait_for(app: App) -> None:
    launched(app, None)
    assert [asked(app, f"r{n}", reserve(n)) for n in range(5)] == [""] * 5
    with app.log.append() as append:
        assert append.use("campaign:spring")
        assert append.confirm("campaign:spring", "anybody", 10**9, START)


def test_racers_never_reserve_one_too_many_and_never_leave_room(settings: Settings, racers: Racers) -> None:
    limit = 7
    with running(settings) as app:
        launched(app, limit)
    asked_for = [
        [Request(f"race {racer} {n}", (reserve(racer * 10 + n),), settled=False) for n in range(5)] for racer in range(RACERS)
    ]
    outcomes = racers.race(settings, asked_for, abreast=True)
    assert sum(outcome.accepted for outcome in outcomes) == limit
    assert {outcome.code for outcome in outcomes if not outcome.accepted} == {"campaign_exhausted"}
    with running(settings) as app:
        assert asked(app, "after", reserve(99, LATER)) == ""


def test_racers_that_abandon_half_of_their_orders_use_all_room_in_the_end(settings: Settings, racers: Racers) -> None:
    limit, chance = 9, random.Random(4)
    with running(settings) as app:
        launched(app, limit)
    requests: list[list[Request]] = []
    for racer in range(RACERS):
        mine = []
        for n in range(12):
            number, at = racer * 100 + n, START + n * 300_000
            mine.append(Request(f"reserve {number}", (reserve(number, at),), settled=False))
            if chance.random() < 0.55:
                mine.append(Request(f"redeem {number}", (redeem(number, at + 1000),), settled=False))
        requests.append(mine)
    racers.race(settings, requests)
    with running(settings) as app:
        redeemed = sum(not redeemed.overrun for redeemed in events(app, CouponRedeemed))  # a late payment may be honoured
        assert redeemed <= limit
        late = START + 10**9
        more = [asked(app, f"late {n}", reserve(1000 + n, late)) for n in range(limit + 1)]
        assert more.count("") == limit - redeemed


BOUNDS: dict[str, tuple[dict[str, Any], str]] = {
    "a member": ({"member_limit": 7}, "coupon_member_limit"),
    "a code": ({"serial": "17", "code_limit": 7}, "coupon_code_used"),
    "a budget": ({"amount": 40, "budget": "2026-11", "budget_amount": 7 * 40 + 39}, "campaign_budget_spent"),
}


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("abreast", [True, False], ids=["abreast", "at will"])
def test_racers_for_one_bound_get_exactly_what_there_is(settings: Settings, racers: Racers, bound: str, abreast: bool) -> None:
    terms, refused = BOUNDS[bound]
    with running(settings) as app:
        launched(app, None)

    def wish(number: int, at: int = START) -> ReserveCoupon:
        member = "m-0" if bound == "a member" else f"m-{number}"
        return ReserveCoupon("spring", member, f"o-{number}", at=at, until=at + 900_000, **terms)

    asked_for = [
        [Request(f"race {racer} {n}", (wish(racer * 10 + n),), settled=False) for n in range(4)] for racer in range(RACERS)
    ]
    outcomes = racers.race(settings, asked_for, abreast)
    assert sum(outcome.accepted for outcome in outcomes) == 7
    assert {outcome.code for outcome in outcomes if not outcome.accepted} == {refused}
    with running(settings) as app:
        assert [asked(app, f"after {n}", wish(100 + n, LATER)) for n in range(8)] == [""] * 7 + [refused]
