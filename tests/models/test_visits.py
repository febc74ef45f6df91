"""Visits: how they end, what leads from one product to another, and what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest

from aggregates.behaviour import Clicked, Dismissed, Favourited, Viewed
from aggregates.cart_events import (
    CartItemAdded,
)
from aggregates.decider import Recorded
from aggregates.order.events import OrderLine, OrderPaid
from aggregates.product import ProductRetired
from models.learner import Event, Learner
from models.recommender import visits as of_visits
from models.recommender.transitions import ACTED, BACK, FORWARD, GROWTH, NEXT, ONE, UNORDERED, Paths, TransitionCounts
from models.recommender.visit_candidates import FEATURES
from models.recommender.visit_lists import VisitPage, place, reciprocal_places
from models.recommender.visits import IDLE, REMEMBERED, Visits

MINUTE = 60_000


def viewed(product: str, at: int, session: str = "s", member: str | None = None) -> Viewed:
    return Viewed(product=product, member=member, session=None if member else session, at=at)


def bought(product: str, at: int, session: str = "s") -> OrderPaid:
    return paid(None, session, product, at)


def paid(member: str | None, session: str | None, product: str, at: int) -> OrderPaid:
    line = OrderLine(product=product, quantity=1, gross=1, total=1, paid=1)
    return OrderPaid(order=f"o{at}", member=member, session=session, currency="USD", lines=(line,), net=1, at=at)


def dismissed(product: str, member: str | None, session: str | None, at: int) -> Dismissed:
    return Dismissed(product=product, member=member, session=session, at=at)


def learned(*events: Event) -> Learner:
    learner = Learner("UTC")
    learner.fold([Recorded(position, event) for position, event in enumerate(events, 1)])
    return learner


def shown(learner: Learner, shopper: str = "s.s") -> list[str]:
    return [entry.product for entry in learner.visit_lists.shown(shopper)]


def others(at: int) -> list[Viewed]:
    """Return looks of so many other shoppers that the shop's clock reaches ``at``."""
    return [viewed("salt", at, session=f"other {n}") for n in range(of_visits.SOURCES)]


def test_a_visit_whose_shopper_does_not_come_back_ends_by_the_shops_clock() -> None:
    learner = learned(viewed("tea", 0), viewed("pot", MINUTE), *others(MINUTE), *others(MINUTE + IDLE))
    assert "s.s" in learner.visits.live
    delta = learner.fold([Recorded(99 + n, look) for n, look in enumerate(others(2 * IDLE + MINUTE + 1))])
    assert "s.s" not in learner.visits.live
    assert delta.documents["visit:s"] is None


def test_a_visit_ends_when_its_shopper_comes_back_after_half_an_hour() -> None:
    learner = learned(
        viewed("tea", 0), viewed("pot", MINUTE), viewed("cup", MINUTE + IDLE), viewed("jug", 2 * IDLE + MINUTE + 1)
    )
    assert list(learner.visits.live["s.s"].products) == ["jug"]


def test_one_clock_that_is_ahead_ends_no_other_visit_and_moves_no_clock() -> None:
    ahead = 20 * 60 * MINUTE
    honest = [viewed(p, 0, "honest") for p in ("tea", "pot", "cup")]
    skewed = [viewed("tea", ahead + n * ahead, "skewed") for n in range(9)]
    learner = learned(
        *honest, dismissed("mug", None, "honest", 10), *skewed, viewed("jug", 20, "honest"), viewed("jug", 21, "other")
    )
    page = learner.visit_lists.page("s.honest", 1)
    assert [seen.product for seen in page.seen] == ["jug", "cup", "pot", "tea"]
    assert list(learner.visits.unwanted("s.honest")) == ["mug"]
    assert learner.visits.clock <= 21
    learner.fold([Recorded(100 + n, look) for n, look in enumerate(others(MINUTE))])
    assert learner.visits.clock == MINUTE


def test_visitors_are_counted_and_not_their_acts() -> None:
    people = [viewed(p, 1000 * n + at, f"s{n}") for n in range(20) for at, p in enumerate(("good", "mug"))]
    bot = [viewed(p, 60_000 + 100 * n + at, "bot") for n in range(40) for at, p in enumerate(("good", "spam"))]
    learner = learned(*people, *bot, viewed("good", 90_000, "new"))
    assert shown(learner, "s.new")[0] == "mug"
    looks = learner.transitions.looks
    paths = learner.transitions.paths[looks.numbers["good"]]
    spam = paths.table[paths.places[looks.numbers["spam"]]]
    assert (looks.count("spam"), spam[FORWARD], spam[NEXT]) == (1, ONE, 1)


def test_a_bot_that_comes_again_all_day_counts_once() -> None:
    pause = IDLE + MINUTE
    people = [viewed(p, n * pause + at, f"s{n}") for n in range(20) for at, p in enumerate(("good", "mug"))]
    bot = [viewed(p, n * pause + at + 5, "bot") for n in range(20) for at, p in enumerate(("good", "spam", "good", "spam"))]
    learner = learned(
        *sorted((*people, *bot), key=lambda look: look.at), *others(30 * pause), viewed("good", 30 * pause, "new")
    )
    assert shown(learner, "s.new")[0] == "mug"
    assert learner.transitions.looks.count("spam") == 1


def test_the_scores_of_a_visits_list_fall_from_the_ranked_to_the_popular() -> None:
    bought_by_others = [paid(f"m{n}", None, f"p{n % 9}", n) for n in range(30)]
    entries = learned(*bought_by_others, viewed("tea", 40), viewed("pot", 41), viewed("cup", 42)).visit_lists.shown("s.s")
    scores = [entry.score for entry in entries]
    assert {entry.source for entry in entries} == {"revisit", "popular"}
    assert scores == sorted(scores, reverse=True)


def test_products_of_a_visit_are_bounded() -> None:
    visit = Visits().visit("long", 0)
    for n in range(REMEMBERED + 5):
        visit.act(f"p{n}", "view")
    assert list(visit.products) == [f"p{n}" for n in range(5, REMEMBERED + 5)]
    assert visit.steps.keys() == visit.times.keys() == visit.products.keys()


def test_steps_are_counted_by_direction_and_distance() -> None:
    transitions = TransitionCounts()
    for product, before in (("a", []), ("b", ["a"]), ("c", ["b", "a"])):
        transitions.learn_one(product, "view", before, 0)
    a, c = transitions.paths[0], transitions.paths[2]
    assert a.table[[a.places[1], a.places[2]], FORWARD].tolist() == [ONE, ONE / 2]
    assert a.table[[a.places[1], a.places[2]], NEXT].tolist() == [1, 0]
    assert c.table[[c.places[1], c.places[0]], BACK].tolist() == [ONE, ONE / 2]
    assert c.totals[FORWARD] == 0


def test_a_cart_says_more_than_a_like() -> None:
    transitions = TransitionCounts()
    transitions.learn_one("tea", "view", [], 0)
    for product, kind in (("pot", "cart"), ("cup", "like")):
        transitions.learn_one(product, kind, ["tea"], 0)
    paths = transitions.paths[0]
    assert paths.table[paths.places[1], ACTED] > paths.table[paths.places[2], ACTED]


def test_a_product_keeps_its_strongest_paths() -> None:
    paths = Paths()
    for other in (7, 7, *range(300)):
        paths.add(FORWARD, other, ONE)
    gone = paths.prune(10)
    assert (len(paths), len(gone)) == (10, 290)
    assert 7 in paths.places
    assert paths.totals[FORWARD] == 12 * ONE


def test_paths_stand_in_the_order_of_their_strength_once_they_have_grown() -> None:
    paths = Paths()
    for other in range(UNORDERED + 1):
        paths.add(FORWARD, other, ONE)
    paths.put_in_order()
    for _ in range(round(UNORDERED * GROWTH)):
        paths.add(FORWARD, 5, ONE)
    paths.put_in_order()
    assert (paths.table[0, 0], paths.places[5]) == (5, 0)
    again = Paths.from_text(paths.to_text())
    assert again.table[: len(again)].tolist() == paths.table[: len(paths)].tolist()
    assert (again.places, again.totals, again.to_text()) == (paths.places, paths.totals, paths.to_text())


def test_products_not_looked_at_for_longest_lose_their_paths_first() -> None:
    transitions = TransitionCounts(most=10)
    for n in range(20):
        transitions.learn_one(f"a{n}", "view", [], 0)
        transitions.learn_one(f"b{n}", "view", [f"a{n}"], 0)
    assert transitions.total <= 10
    assert transitions.looks.numbers["a0"] not in transitions.paths
    assert transitions.looks.numbers["a19"] in transitions.paths


def test_a_visit_leads_where_others_went() -> None:
    learner = learned(*(viewed(p, n, session=f"s{n}") for n in range(3) for p in ("tea", "pot")), viewed("tea", 9))
    assert shown(learner)[0] == "pot"
    entry = learner.visit_lists.shown("s.s")[0]
    assert (entry.source, entry.reason) == ("onward", "Shoppers who looked at tea went on to this")


def test_the_ranking_holds_the_product_looked_at_last_and_the_slot_does_not() -> None:
    learner = learned(viewed("tea", 0), viewed("pot", 1), viewed("tea", 2))
    assert set(learner.visit_lists.products("s.s", 20)) == {"tea", "pot"}
    assert shown(learner) == ["pot"]


def test_what_was_just_bought_is_not_shown_by_any_filler() -> None:
    popular = [viewed(p, n, session=f"s{n}") for n in range(4) for p in ("tea", "pot", "cup")]
    learner = learned(*popular, viewed("cup", 9), viewed("tea", 10), bought("tea", 11), viewed("pot", 12))
    assert "tea" not in shown(learner)
    assert "pot" not in shown(learner)
    assert "cup" in shown(learner)


def test_a_page_is_made_anew_when_something_is_bought() -> None:
    learner = learned(*(viewed(p, n, f"s{n}") for n in range(3) for p in ("tea", "pot")), viewed("cup", 9), viewed("tea", 10))
    page = learner.fold([Recorded(99, bought("pot", 11))]).documents["visit:s"]
    assert isinstance(page, VisitPage)
    assert "pot" not in [entry.product for entry in page.items]


def test_what_is_dismissed_or_retired_is_not_shown() -> None:
    acts = [viewed(p, n, session=f"s{n}") for n in range(3) for p in ("tea", "pot", "cup")]
    learner = learned(*acts, viewed("tea", 8), dismissed("cup", None, "s", 9), ProductRetired(product="pot", at=9))
    assert shown(learner) == []


def test_what_is_dismissed_is_not_wanted_until_it_is_liked() -> None:
    learner = learned(viewed("tea", 0), dismissed("tea", None, "s", 1))
    assert (list(learner.visits.unwanted("s.s")), list(learner.visits.live["s.s"].products)) == (["tea"], [])
    learner.fold([Recorded(9, Favourited(product="tea", member=None, session="s", at=2))])
    assert (list(learner.visits.unwanted("s.s")), list(learner.visits.live["s.s"].liked)) == ([], ["tea"])


def test_a_guest_is_forgotten_with_their_visit_and_a_member_is_not() -> None:
    learner = learned(dismissed("tea", None, "s", 0), dismissed("tea", "m", None, 0), *others(0), *others(IDLE + 1))
    assert list(learner.visits.dismissed) == ["m.m"]


def test_who_shops_without_looking_has_no_visit() -> None:
    assert (
        list(
            learned(CartItemAdded(cart="c", member="m", session=None, product="tea", quantity=1, price=None, at=0)).visits.live
        )
        == []
    )


def test_a_members_own_purchases_count_in_their_visit() -> None:
    looked = [viewed("salt", n, session=f"s{n}") for n in range(3)]
    learner = learned(*looked, paid("ann", None, "salt", 5), viewed("tea", 9, member="ann"), viewed("tea", 9))
    found = learner.visit_lists.ranked("m.ann")
    assert found is not None
    habit = FEATURES.index("member's habit")
    assert found.offer.rows[found.offer.place_of(learner.transitions.looks.numbers["salt"]), habit] > 0
    guest = learner.visit_lists.ranked("s.s")
    assert guest is not None
    assert not guest.offer.rows[:, habit].any()


def test_looks_are_measured_before_they_are_learned() -> None:
    learner = learned(*(Clicked(product=p, member=None, session=f"s{n}", at=n) for n in range(40) for p in ("tea", "pot")))
    sums = learner.quality.days["1970-01-01"]
    assert sums["visits:acts"] == 40
    assert sums["visits:regulars:hits"] == 39  # nobody knew the pot at first
    assert learner.visit_lists.ranker.seen > 0


def test_after_the_first_looks_one_of_some_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_visits, "ALL_LEARNED", 10)
    learner = learned(*(viewed(p, n, f"s{n}") for n in range(30) for p in ("tea", "pot")))
    assert learner.quality.days["1970-01-01"]["visits:acts"] == 10 + 20 // of_visits.ONE_OF


def test_after_the_first_looks_one_of_some_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_visits, "ALL_MEASURED", 8)
    learner = learned(*(viewed(p, n, f"s{n}") for n in range(40) for p in ("tea", "pot")))
    assert learner.quality.days["1970-01-01"]["visits:acts"] == 8 + 32 // of_visits.MEASURED_OF


def test_a_product_is_a_candidate_where_it_is_said_to_be_one() -> None:
    chance = Random(1)
    learner = learned(*(viewed(f"p{int(60 * chance.random() ** 2)}", n, f"s{n // 6}") for n in range(900)))
    lists, offered = learner.visit_lists, 0
    for shopper in list(learner.visits.live)[-30:]:
        found = lists.ranked(shopper)
        assert found is not None
        candidates = {learner.transitions.looks.products[number] for number in found.offer.numbers}
        for product in learner.transitions.looks.products:
            assert (lists.offered(shopper, product) is not None) == (product in candidates)
            offered += product not in candidates
    assert offered > 0


def test_a_shop_that_goes_one_way_is_followed_one_way() -> None:
    events = [viewed(p, n * 10 + at, f"s{n}") for n in range(60) for at, p in enumerate(("a", "b", "c"))]
    learner = learned(*events, viewed("b", 10_000, "now"))
    assert first(learner, "s.now", 1) == ["c"]


def test_a_learner_sees_a_visit_and_learns_nothing_from_it() -> None:
    learner = learned(*(viewed(p, n * 10, f"s{n}") for n in range(5) for p in ("tea", "pot")))
    counts = learner.transitions.looks.table.copy()
    learner.see("s.new", "tea", "view", 60)
    learner.see("s.new", "unknown", "view", 61)
    assert set(first(learner, "s.new", 3)) == {"tea", "unknown", "pot"}
    learner.visits.pass_time("s.new", 61 + 2 * IDLE)
    assert "s.new" not in learner.visits.live
    assert (learner.transitions.looks.table == counts).all()


def first(learner: Learner, shopper: str, count: int) -> Sequence[str]:
    return learner.visit_lists.products(shopper, count)


def test_places_count_equal_scores_in_their_order() -> None:
    scores = np.array([0.5, 0.0, 0.9, 0.5])
    assert [place(scores, at) for at in range(4)] == [2, 4, 1, 3]
    assert reciprocal_places(scores).tolist() == [1 / 2, 0, 1, 1 / 3]
