"""What is bought together, against full counts."""

from __future__ import annotations

import random
from collections import Counter
from itertools import permutations

import pytest

from models.recommender import co_occurrence
from models.recommender.co_occurrence import CoOccurrence
from models.recommender.items import Items


def learned(baskets: list[list[str]]) -> CoOccurrence:
    items = Items()
    pairs = CoOccurrence(items)
    for basket in baskets:
        items.baskets += 1
        for product in basket:
            items.learn_one(product, None, 0)
        pairs.learn_one(basket)
    return pairs


def some_baskets(seed: int, count: int) -> list[list[str]]:
    """Baskets of a shop where low numbers are popular, and neighbours in number belong together."""
    chance = random.Random(seed)
    baskets = []
    for _ in range(count):
        middle = int(chance.expovariate(1 / 60))
        baskets.append(sorted({str(max(0, middle + chance.randint(-3, 3))) for _ in range(chance.randint(1, 8))}))
    return baskets


def test_counts_are_exact_while_neighbours_are_few() -> None:
    baskets = some_baskets(seed=1, count=500)
    full = Counter(pair for basket in baskets for pair in permutations(basket, 2))
    pairs = learned(baskets)
    often = {(a, b): n for a, others in pairs.together.items() for b, n in others.items()}
    once = {(a, b): 1 for a, others in pairs.once.items() for b in others}
    assert not often.keys() & once.keys()
    assert often | once == full


def test_lift_keeps_what_everybody_buys_off_the_list() -> None:
    baskets = [["bread", "milk"]] * 3 + [["bread", "tea", "lemon"]] * 3 + [["bread"]] * 60 + [["salt"]] * 20
    names = [name for name, _, _ in learned(baskets).neighbours("tea", 5)]
    assert names == ["lemon", "bread"]


def test_a_pair_is_told_from_the_third_basket_on() -> None:
    assert learned([["a", "b"]] * 2).neighbours("a", 5) == []
    assert [name for name, _, _ in learned([["a", "b"]] * 3).neighbours("a", 5)] == ["b"]


def test_a_retired_neighbour_is_not_told() -> None:
    pairs = learned([["a", "b"]] * 3)
    pairs._items["b"].retired = True
    assert pairs.neighbours("a", 5) == []


def test_pruning_bounds_the_neighbours_and_keeps_the_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(co_occurrence, "NEIGHBOURS", 20)
    baskets = [["hub", f"once-{n}"] for n in range(500)]
    for n in range(0, 500, 7):
        baskets[n] = ["hub", "often"]
    pairs = learned(baskets)
    assert len(pairs.together["hub"]) + len(pairs.once["hub"]) <= 40
    assert pairs.together["hub"]["often"] == 72


def test_pruning_tells_what_it_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(co_occurrence, "NEIGHBOURS", 2)
    pairs = learned([["hub", other] for other in "00112234"])
    assert (pairs.together["hub"], pairs.once["hub"]) == ({"0": 2, "1": 2}, {})
    assert pairs.changed["hub"] == {"0", "1", "2"}


def test_a_list_is_made_anew_when_its_product_has_sold_five_percent_more() -> None:
    items = Items()
    pairs = CoOccurrence(items)
    made = []
    for _ in range(60):
        items.baskets += 1
        for product in ("a", "b"):
            items.learn_one(product, None, 0)
        pairs.learn_one(["a", "b"])
        made.append(pairs.refresh(["a"]) == ["a"])
    assert all(made[:20])
    assert made[40:].count(True) < 10
    assert [other for other, _, _ in pairs.strongest("a")] == ["b"]
    items.retire("b")
    assert pairs.strongest("a") == []


def test_what_is_told_is_the_same_after_a_restart() -> None:
    pairs = learned(some_baskets(seed=2, count=2000))
    again = CoOccurrence(pairs._items)
    again.together = {product: dict(reversed(together.items())) for product, together in pairs.together.items()}
    for product in pairs.together:
        assert again.neighbours(product, 10) == pairs.neighbours(product, 10)


def test_a_huge_basket_is_paired_up_to_a_limit() -> None:
    pairs = learned([[str(n) for n in range(500)]])
    assert len(pairs.together) == co_occurrence.LARGEST_BASKET
