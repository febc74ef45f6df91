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
from models.recommender.lists import Recommendations
from models.recommender.visitors import VisitPage
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
        assert lists[place] == list(learner.shown.get(str(order.member)) or learner.hot.ranked()[:20])


def test_the_list_is_the_one_that_is_stored_for_a_storefront(events: list[object]) -> None:
    learner = Ours("UTC")
    delta = learner.learner.fold([Recorded(n, event) for n, event in enumerate(events, 1)])
    stored = delta.documents["recommend:m3"]
    assert isinstance(stored, Recommendations)
    assert learner.for_member("m3", 0)[OURS] == [entry.product for entry in stored.items]


def test_last_baskets_are_never_learned(events: list[object]) -> None:
    plan = plan_of_baskets(baskets_of(events, products_of(events)), Setting("last-basket"))
    learner = folded([event for n, event in enumerate(events) if n not in plan.held])
    lists = lists_of(events, plan, visits=False)[OURS]
    members = [event.member for event in (events[case.index] for case in plan.cases) if isinstance(event, OrderPaid)]
    assert lists == [list(learner.shown[str(member)]) for member in members]


def test_a_visit_is_asked_for_before_its_act_is_learned(events: list[object]) -> None:
    plan = plan_of_visits(visits_of(events, products_of(events), ("view",)), Setting("prequential", most=40))
    lists = lists_of(events, plan, visits=True)[OURS]
    for place in (3, 39):
        case = plan.cases[place]
        learner = Learner("UTC")
        delta = learner.fold([Recorded(n, event) for n, event in enumerate(events[: case.index], 1)])
        page = delta.documents[f"visit:{case.name.partition('#')[0]}"]
        assert isinstance(page, VisitPage)
        assert lists[place] == [entry.product for entry in page.items]


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
    assert "cup" not in frozen["regulars:onward"][-2], "nobody went from pot to cup before"
    assert "cup" in online["regulars:onward"][-2]
    assert frozen["regulars:revisit"][-1] == ["pot"], "what the visit has seen is known"


def test_a_cart_calls_for_its_companions_and_is_not_listed() -> None:
    often = [paid(f"o{n}", f"m{n}", "tea", "lemon", at=n) for n in range(5)]
    filler = [paid(f"f{n}", f"m{n}", f"x{n}", at=10 + n) for n in range(5)]
    ours = Ours("UTC")
    ours.learn([Recorded(n, event) for n, event in enumerate((*often, *filler), 1)])
    lists = ours.for_cart("m1", ["tea"], 99)
    assert "lemon" in lists[OURS]
    assert "tea" not in lists[OURS]
    assert ours.for_cart("nobody", ["tea"], 99)["companion"] == ["lemon"]
