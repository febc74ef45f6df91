"""Each method for visits against a slow, obvious reference, on visits small enough to follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from random import Random

import numpy as np
import pytest

from models.evaluation.baselines.factors import VisitFactors
from models.evaluation.baselines.next_products import ItemKnnVisits, PopularVisits, Transitions
from models.evaluation.baselines.visits_alike import Neighbours, Revisit, Stan, VisitMethod, VSknn, Vstan, WithRevisit
from models.evaluation.cases import Setting, plan_of_visits
from models.evaluation.running import VisitStream, run_visits
from tests.models.evaluation.given import HOUR, NoMeter, viewed, visits

DAY = 86_400_000
ROUNDS = {"als": 50, "bpr": 1000}  # so few baskets and visits need many
WIDTH = 12
NOW = 100 * DAY


@dataclass(frozen=True)
class Past:
    number: int
    products: list[int]
    at: int

    def last(self, product: int) -> int:
        """The last place of a product, from 1."""
        return len(self.products) - self.products[::-1].index(product)


PASTS = [Past(n, Random(n).choices(range(WIDTH), k=Random(n).randint(2, 6)), n * DAY) for n in range(40)]
HAND = [3, 5, 3, 8]
POPULARITY = np.bincount([product for past in PASTS for product in past.products], minlength=WIDTH)


def taught(method: VisitMethod, pasts: Sequence[Past] = PASTS) -> VisitMethod:
    method.begin(WIDTH)
    for past in pasts:
        method.learn(past.products, past.at)
    method.settle()
    return method


def by_score(scores: dict[int, float]) -> list[int]:
    """Products by score, ties by popularity and id, then what is popular."""
    short = {product: np.float32(score) for product, score in scores.items() if score > 0}
    listed = sorted(short, key=lambda product: (-short[product], -POPULARITY[product], product))
    rest = sorted(set(range(WIDTH)) - set(listed), key=lambda product: (-POPULARITY[product], product))
    return [*listed, *rest]


def neighbours(
    method: Neighbours,
    hand: list[int],
    alike: Callable[[Past], float],
    value: Callable[[Past, int], float],
) -> list[int]:
    """The list by its definition: the latest visits that share something, the most alike of them, their products' values."""
    sharing = [past for past in PASTS if set(past.products) & set(hand)][-method.sampled :]
    near = sorted(sharing, key=lambda past: (-np.float32(alike(past)), -past.number))[: method.nearest]
    scores: dict[int, float] = {}
    for past in near:
        for product in set(past.products):
            scores[product] = scores.get(product, 0.0) + alike(past) * value(past, product)
    return by_score(scores)


def place(hand: list[int], product: int) -> int:
    return len(hand) - hand[::-1].index(product)


def latest(hand: list[int], past: Past) -> int:
    """The largest place in the visit at hand of a product in common."""
    return max(place(hand, product) for product in set(hand) & set(past.products))


def idf(product: int) -> float:
    return log(len(PASTS) / sum(product in past.products for past in PASTS))


hands = pytest.mark.parametrize("hand", [HAND, [3], [1, 1, 2], [7, 6, 5, 4, 3, 2, 1]], ids=str)


@hands
@pytest.mark.parametrize(("nearest", "sampled"), [(5, 10), (100, 100)])
def test_v_sknn_weighs_by_place_and_the_latest_product_in_common(hand: list[int], nearest: int, sampled: int) -> None:
    method = VSknn(nearest, sampled, "quadratic", "div", idf=2.0)

    def alike(past: Past) -> float:
        common = set(hand) & set(past.products)
        return sum((place(hand, product) / len(hand)) ** 2 for product in common) / len(set(hand))

    def value(past: Past, product: int) -> float:
        return 1 / (len(hand) - latest(hand, past) + 1) * (1 + 2.0 * idf(product))

    expected = neighbours(method, hand, alike, value)
    assert taught(method).list_for(hand, NOW, POPULARITY, WIDTH) == expected


def stan_likeness(hand: list[int], past: Past, spread: float, days: float) -> float:
    weights = {product: exp((place(hand, product) - len(hand)) / spread) for product in set(hand)}
    common = sum(weights[product] for product in set(hand) & set(past.products))
    length = sqrt(sum(weight**2 for weight in weights.values())) * sqrt(len(set(past.products)))
    return common / length * exp(-(NOW - past.at) / DAY / days)


def stan_closeness(hand: list[int], past: Past, product: int, apart: float) -> float:
    star = max(past.last(shared) for shared in set(hand) & set(past.products))
    return exp(-abs(past.last(product) - star) / apart)


@hands
@pytest.mark.parametrize(("nearest", "sampled"), [(5, 10), (100, 100)])
def test_stan_fades_by_place_by_age_and_by_distance(hand: list[int], nearest: int, sampled: int) -> None:
    method = Stan(nearest, sampled, 1.8, 40.0, 0.9)
    expected = neighbours(
        method,
        hand,
        lambda past: stan_likeness(hand, past, 1.8, 40.0),
        lambda past, product: stan_closeness(hand, past, product, 0.9),
    )
    assert taught(method).list_for(hand, NOW, POPULARITY, WIDTH) == expected


def vstan_by_hand(method: Vstan, hand: list[int]) -> list[int]:
    return neighbours(
        method,
        hand,
        lambda past: stan_likeness(hand, past, 1.8, 40.0),
        lambda past, product: (
            stan_closeness(hand, past, product, 0.9) * exp((latest(hand, past) - len(hand)) / 2.0) * (1 + 1.5 * idf(product))
        ),
    )


@hands
@pytest.mark.parametrize(("nearest", "sampled"), [(5, 10), (100, 100)])
def test_vstan_has_the_weights_of_both(hand: list[int], nearest: int, sampled: int) -> None:
    method = Vstan(nearest, sampled, 1.8, 40.0, 0.9, 2.0, 1.5)
    assert taught(method).list_for(hand, NOW, POPULARITY, WIDTH) == vstan_by_hand(method, hand)


def test_vstan_and_revisit_are_joined_by_reciprocal_rank() -> None:
    method = Vstan(5, 10, 1.8, 40.0, 0.9, 2.0, 1.5)
    first, second = vstan_by_hand(method, HAND), [8, 3, 5]
    scores = {
        product: sum(1 / (listed.index(product) + 1) for listed in (first, second) if product in listed) for product in first
    }
    assert taught(WithRevisit(method)).list_for(HAND, NOW, POPULARITY, WIDTH) == by_score(scores)


def test_revisit_lists_what_was_seen_the_latest_first_and_nothing_else() -> None:
    assert Revisit().list_for([3, 5, 3, 8, 5], NOW, POPULARITY, 10) == [5, 8, 3]
    assert Revisit().list_for([3, 5, 3, 8, 5], NOW, POPULARITY, 2) == [5, 8]


def test_transitions_count_what_came_right_after_the_last_product() -> None:
    pairs = Counter(pair for past in PASTS for pair in zip(past.products, past.products[1:], strict=False))
    scores = {product: float(pairs[8, product]) for product in range(WIDTH)}
    assert taught(Transitions()).list_for(HAND, NOW, POPULARITY, WIDTH) == by_score(scores)


def test_item_knn_is_the_cosine_to_the_last_product() -> None:
    had = {product: {past.number for past in PASTS if product in past.products} for product in range(WIDTH)}
    scores = {p: len(had[8] & had[p]) / sqrt(len(had[8]) * len(had[p])) for p in range(WIDTH) if p != 8}
    assert taught(ItemKnnVisits()).list_for(HAND, NOW, POPULARITY, WIDTH) == by_score(scores)


def test_popular_is_by_acts() -> None:
    assert taught(PopularVisits()).list_for(HAND, NOW, POPULARITY, WIDTH) == by_score(dict(enumerate(POPULARITY.tolist())))


@pytest.mark.parametrize("method", [VSknn(), Stan(), Vstan(), WithRevisit(Vstan()), Transitions(), ItemKnnVisits()])
def test_a_product_that_no_visit_had_leads_to_what_is_popular(method: VisitMethod) -> None:
    method.begin(WIDTH)
    method.learn([0, 1], 0)
    assert set(method.list_for([9], NOW, np.array([2, 1] + [0] * 10), 2)) - {9} <= {0, 1}


@pytest.mark.usefixtures("implicit")
@pytest.mark.parametrize("name", ["als", "bpr"])
def test_factors_find_the_products_of_two_groups_of_visits(name: str) -> None:
    random = Random(1)
    groups = [Past(n, [n % 2 * 6 + random.randrange(6) for _ in range(4)], n) for n in range(300)]
    method = taught(VisitFactors(name, 2, 0.01, ROUNDS[name]), groups)
    assert set(method.list_for([0, 1], NOW, np.ones(WIDTH, np.int64), 6)) == set(range(6))


def events_of_two_visits() -> list[object]:
    return [
        viewed("a", "tea", 0),
        viewed("a", "pot", 1),
        viewed("b", "tea", 2),
        viewed("b", "cup", 2 * HOUR),
        viewed("a", "cup", 2 * HOUR + 1),
        viewed("c", "tea", 4 * HOUR),
        viewed("c", "tea", 4 * HOUR + 1),
    ]


def test_online_a_visit_teaches_once_it_is_over_and_popularity_at_once() -> None:
    shop = visits(events_of_two_visits())
    plan = plan_of_visits(shop, Setting("prequential"))
    assert [case.name for case in plan.cases] == ["a#1", "b#1", "a#2", "c#1"]
    learned: list[tuple[list[int], int]] = []
    stream = VisitStream(shop, plan, lambda products, at: learned.append((list(products), at)))
    cup, pot, tea = 0, 1, 2
    stream.reach(plan.cases[0])
    assert (learned, stream.popularity.tolist()) == ([], [0, 0, 1])
    stream.reach(plan.cases[1])
    assert (learned, stream.popularity.tolist()) == ([([tea, pot], 1), ([tea], 2)], [0, 1, 2])
    stream.reach(plan.cases[3])
    assert learned[2:] == [([cup], 2 * HOUR), ([cup], 2 * HOUR + 1)], "what comes after the pause is learned as a visit"


def test_frozen_only_whole_visits_before_the_instant_teach() -> None:
    shop = visits(events_of_two_visits())
    plan = plan_of_visits(shop, Setting("holdout", test_from=2 * HOUR + 1, freeze=True))
    assert [case.name for case in plan.cases] == ["a#2", "c#1"]
    learned: list[list[int]] = []
    stream = VisitStream(shop, plan, lambda products, _: learned.append(list(products)))
    for case in plan.cases:
        stream.reach(case)
    assert learned == [[2, 0]], "b is whole and before it; a straddles it"
    assert stream.popularity.tolist() == [1, 0, 1]


def test_a_run_asks_with_the_visit_so_far() -> None:
    shop = visits(events_of_two_visits())
    lists = run_visits(Revisit(), shop, plan_of_visits(shop, Setting("prequential")), (5,), NoMeter()).lists
    assert lists == [[2], [2], [1, 2], [2]]
