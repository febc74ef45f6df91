"""The recommender under evaluation is the real one: its lists are those that a fold of the same events stores."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from aggregates.decider import Recorded
from aggregates.order.events import OrderPaid
from models.evaluation.cases import Plan, Setting, plan_of_baskets, plan_of_visits
from models.evaluation.facts import baskets_of, products_of, visits_of
from models.evaluation.ours import OURS, Ours
from models.evaluation.running import OursRun
from models.learner import Learner
from models.recommender.items import moment
from models.recommender.lists import Recommendations
from streams.evaluating.shop_log_events import ShopLogEvents
from streams.imports.shop_log.reading import Reader
from tests.models.evaluation.given import HOUR, NoMeter, paid, viewed
from tests.streams.evaluating.planted import START, WEEK, Shop


@pytest.fixture(scope="module")
def events() -> list[object]:
    import json

    reading = ShopLogEvents(Reader("USD", None, now=START + 60 * WEEK), "USD")
    shop = Shop(members=10, products=40, weeks=6, visits=60, bots=1)
    return list(reading.events((n, json.dumps(line).encode()) for n, line in enumerate(shop.lines(), 1)))


def lists_of(events: Sequence[object], plan: Plan, visits: bool) -> dict[str, list[list[str]]]:
    products = products_of(events)
    run = OursRun(Ours("UTC"), events, plan, (20,), NoMeter())
    tallies = run.visits(visits_of(events, products, ("view",))) if visits else run.baskets(baskets_of(events, products))
    return {name: [[products[p] for p in listed] for listed in tally.lists] for name, tally in tallies.items()}


def folded(events: Sequence[object]) -> Learner:
    learner = Learner("UTC")
    learner.fold([Recorded(n, event) for n, event in enumerate(events, 1)])
    return learner


def test_online_a_basket_is_asked_for_before_it_is_learned(events: list[object]) -> None:
    plan = plan_of_baskets(baskets_of(events, products_of(events)), Setting("prequential"))
    lists = lists_of(events, plan, visits=False)[OURS]
    for place in (5, 40, len(plan.cases) - 1):
        case = plan.cases[place]
        order = events[case.index]
        assert isinstance(order, OrderPaid)
        learner = folded(events[: case.index])
        assert lists[place] == list_of(learner, str(order.member), order.at)


def test_the_list_is_the_one_that_is_stored_for_a_storefront(events: list[object]) -> None:
    last = max(n for n, event in enumerate(events, 1) if isinstance(event, OrderPaid) and event.member == "m3")
    learner = Ours("UTC")
    delta = learner.learner.fold([Recorded(n, event) for n, event in enumerate(events[:last], 1)])
    stored = delta.documents["recommend:m3"]
    assert isinstance(stored, Recommendations)
    assert learner.for_member("m3", stored.for_time)[OURS] == [entry.product for entry in stored.items]


def test_last_baskets_are_never_learned(events: list[object]) -> None:
    plan = plan_of_baskets(baskets_of(events, products_of(events)), Setting("last-basket"))
    learner = folded([event for n, event in enumerate(events) if n not in plan.held])
    lists = lists_of(events, plan, visits=False)[OURS]
    orders = [event for event in (events[case.index] for case in plan.cases) if isinstance(event, OrderPaid)]
    assert lists == [list_of(learner, str(order.member), order.at) for order in orders]


def list_of(learner: Learner, member: str, at: int) -> list[str]:
    """Return what the learner ranks for a member at an instant, filled up with what is popular."""
    ranked = learner.listed(member, moment(at, "UTC")).products if member in learner.repeat.members else []
    return list(dict.fromkeys((*ranked, *learner.hot.ranked())))[:20]


def test_a_visit_is_asked_for_before_its_act_is_learned(events: list[object]) -> None:
    plan = plan_of_visits(visits_of(events, products_of(events), ("view",)), Setting("prequential", most=40))
    lists = lists_of(events, plan, visits=True)[OURS]
    for place in (3, 39):
        case = plan.cases[place]
        learner = folded(events[: case.index])
        shopper = f"s.{case.name.partition('#')[0]}"
        learner.visits.pass_time(shopper, case.at)
        ranked = learner.visit_lists.products(shopper, 20)
        assert ranked
        assert lists[place][: len(ranked)] == ranked


def test_frozen_it_sees_the_visit_and_learns_nothing_from_it() -> None:
    before = [viewed(f"b{n}", product, n * HOUR + step) for n in range(8) for step, product in enumerate(("tea", "pot"))]
    test = [
        viewed(f"t{n}", product, 20 * HOUR + 10 * n + step)
        for n in range(8)
        for step, product in enumerate(("pot", "cup", "pot"))
    ]
    events = [*before, *test]
    visits = visits_of(events, products_of(events), ("view",))
    frozen = lists_of(events, plan_of_visits(visits, Setting("holdout", test_from=10 * HOUR, freeze=True)), visits=True)
    online = lists_of(events, plan_of_visits(visits, Setting("holdout", test_from=10 * HOUR)), visits=True)
    assert "cup" not in frozen["regulars:forward"][-2], "nobody went from pot to cup before"
    assert "cup" in online["regulars:forward"][-2]
    assert frozen["regulars:revisit"][-1] == ["cup", "pot"], "what the visit has seen is known"


def test_a_cart_calls_for_its_companions_and_is_not_listed() -> None:
    often = [paid(f"o{n}", f"m{n}", "tea", "lemon", at=n) for n in range(5)]
    filler = [paid(f"f{n}", f"m{n}", f"x{n}", at=10 + n) for n in range(5)]
    ours = Ours("UTC")
    ours.learn([Recorded(n, event) for n, event in enumerate((*often, *filler), 1)])
    lists = ours.for_cart("m1", ["tea"], 99)
    assert "lemon" in lists[OURS]
    assert "tea" not in lists[OURS]
    assert ours.for_cart("nobody", ["tea"], 99)["companion"] == ["lemon"]
