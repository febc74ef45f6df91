"""Which cases a protocol has, what may be learned before them, and which of many are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from aggregates.order.events import OrderPaid
from models.evaluation.cases import Setting, half_of, plan_of_baskets, plan_of_visits
from models.evaluation.filtering import filtered
from models.evaluation.ranking import joined, top, top_of
from tests.models.evaluation.given import HOUR, baskets, paid, viewed, visits


def test_the_last_basket_of_members_with_two_earlier_ones_is_foretold_from_everybody_elses() -> None:
    events = [
        *(paid(f"a{n}", "ann", "tea", at=n) for n in range(3)),
        *(paid(f"b{n}", "bob", "milk", at=n) for n in range(2)),
        paid("g", None, "salt", at=9),
    ]
    plan = plan_of_baskets(baskets(events), Setting("last-basket"))
    assert [case.name for case in plan.cases] == ["a2"]
    assert (plan.held, plan.online, plan.until) == (frozenset({2}), False, None)
    assert plan.cases[0].earlier.tolist() == [0, 1]


def test_a_frozen_holdout_knows_of_a_member_what_was_before_the_instant() -> None:
    events = [paid(f"a{n}", "ann", "tea", at=n) for n in range(4)]
    frozen = plan_of_baskets(baskets(events), Setting("holdout", test_from=2, freeze=True))
    assert [(case.name, len(case.earlier)) for case in frozen.cases] == [("a2", 2), ("a3", 2)]
    online = plan_of_baskets(baskets(events), Setting("holdout", test_from=2))
    assert [(case.name, len(case.earlier)) for case in online.cases] == [("a2", 2), ("a3", 3)]
    assert (frozen.held, online.held) == (frozenset({2, 3}), frozenset())


def test_prequential_asks_for_each_order_of_a_member_first_ones_too() -> None:
    events = [paid("a0", "ann", "tea"), paid("g", None, "tea"), paid("a1", "ann", "tea")]
    plan = plan_of_baskets(baskets(events), Setting("prequential"))
    assert [(case.name, len(case.earlier), case.known) for case in plan.cases] == [
        ("a0", 0, frozenset()),
        ("a1", 1, frozenset({0})),
    ]


def test_a_cart_shows_half_of_the_basket_and_the_rest_is_the_truth() -> None:
    events = [*(paid(f"a{n}", "ann", "tea") for n in range(2)), paid("a2", "ann", *"abcde"), paid("b", "bob", "tea")]
    (case,) = plan_of_baskets(baskets(events), Setting("last-basket", cart=True)).cases
    assert (len(case.shown), len(case.truth)) == (2, 3)
    assert not case.truth & set(case.shown.tolist())
    assert half_of("a2", np.arange(5)).tolist() == half_of("a2", np.arange(5)[::-1]).tolist(), "whatever the order of lines"


def test_a_position_counts_the_acts_before_it_and_repeats_are_valid() -> None:
    events = [viewed("s", product, at=n) for n, product in enumerate(("tea", "pot", "pot", "tea"))]
    plan = plan_of_visits(visits(events), Setting("prequential", min_prefix=2))
    pot, tea = 0, 1
    assert [(case.name, case.earlier.tolist(), case.truth) for case in plan.cases] == [
        ("s#2", [tea, pot], frozenset({pot})),
        ("s#3", [tea, pot, pot], frozenset({tea})),
    ]


def test_a_visit_that_straddles_the_instant_is_a_test_visit_and_teaches_nothing() -> None:
    events = [viewed("before", "tea", 0), viewed("before", "pot", 1), viewed("both", "tea", 2), viewed("both", "pot", 10)]
    plan = plan_of_visits(visits(events), Setting("holdout", test_from=5, freeze=True))
    assert plan.held == {2, 3}
    assert [(case.name, len(case.earlier)) for case in plan.cases] == [("both#1", 1)], "what it did before stays visible"


def test_a_members_acts_without_a_session_are_a_visit_until_they_pause() -> None:
    acts = [viewed(None, "tea", at, member="ann") for at in (0, HOUR // 4, 2 * HOUR)]
    assert [(name, len(steps)) for name, steps in zip(visits(acts).names, visits(acts).steps, strict=True)] == [
        ("ann@0", 2),
        (f"ann@{2 * HOUR}", 1),
    ]


def test_an_order_of_a_visit_is_one_step_with_all_its_products() -> None:
    order = OrderPaid(
        order="o", member="ann", session="s", currency="USD", lines=paid("o", "ann", "tea", "pot").lines, net=200, at=1
    )
    plan = plan_of_visits(
        visits([viewed("s", "cup", 0), order, viewed("s", "cup", 2)], "view", "order"), Setting("prequential")
    )
    assert [(case.truth, len(case.earlier)) for case in plan.cases] == [(frozenset({1, 2}), 1), (frozenset({0}), 3)]


def test_of_too_many_cases_the_same_ones_are_drawn_each_time() -> None:
    events = [paid(f"o{n}", f"m{n % 7}", "tea") for n in range(100)]
    some = [case.name for case in plan_of_baskets(baskets(events), Setting("prequential", most=20)).cases]
    again = [case.name for case in plan_of_baskets(baskets(events), Setting("prequential", most=20)).cases]
    more = [case.name for case in plan_of_baskets(baskets(events), Setting("prequential", most=40)).cases]
    assert (len(some), some) == (20, again)
    assert set(some) < set(more), "a larger sample holds the smaller"
    assert some == sorted(some, key=lambda name: int(name[1:])), "in the order of the log"


def test_ties_go_by_popularity_then_by_id() -> None:
    scores, popularity = np.array([1.0, 1.0, 1.0, 2.0]), np.array([5, 9, 5, 0])
    assert top(scores, popularity, 4) == [3, 1, 0, 2]
    assert top(scores, popularity, 2) == [3, 1]
    assert top_of(np.arange(4), scores, popularity, 4) == [3, 1, 0, 2]


def test_the_order_of_a_sum_decides_no_tie() -> None:
    scores = np.array([0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1])
    assert scores[0] != scores[1]
    assert top(scores, np.array([1, 2]), 1) == [1]


def test_a_short_list_is_filled_with_what_is_popular_unless_it_must_not_be() -> None:
    scores, popularity = np.array([0.0, 1.0, 0.0, 0.0]), np.array([1, 1, 7, 0])
    assert top(scores, popularity, 4) == [1, 2, 0], "what nobody had is never listed"
    assert top(scores, popularity, 4, filled=False) == [1]
    assert top(scores, popularity, 4, out=np.array([1, 2])) == [0]


def test_lists_are_joined_by_reciprocal_rank() -> None:
    """5: 1 + 1/2, 6: 1/2 + 1, 7: 1/3; of the first two the more popular leads."""
    popularity = np.array([0, 0, 0, 0, 0, 1, 2, 3])
    assert joined([[5, 6, 7], [6, 5]], popularity, 3) == [6, 5, 7]


@pytest.mark.parametrize("order", [1, -1])
def test_the_preparation_drops_rare_products_and_members_and_keeps_fifty_baskets(order: int) -> None:
    often = [paid(f"a{n}", "ann", "tea", "milk", at=n) for n in range(60)]
    rare = [paid(f"b{n}", "bob", "caviar", at=n) for n in range(4)]  # three baskets of training with a product too rare
    few = [paid(f"c{n}", "cid", "tea", at=n) for n in range(3)]  # two baskets of training
    last = [paid("a-last", "ann", "never-seen", at=99)]
    events = [*(few + rare if order > 0 else rare + few), *often, *last]
    orders = [event for event in filtered(events) if isinstance(event, OrderPaid)]
    assert {event.member for event in orders} == {"ann"}
    assert [event.order for event in orders] == [f"a{n}" for n in range(10, 60)] + ["a-last"]
    assert [line.product for line in orders[-1].lines] == ["never-seen"], "the truth stays whole"
