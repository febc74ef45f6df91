"""What a member buys again, against the formula written out."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.recommender import repeat
from models.recommender.items import PSEUDO_BUYERS, TRUST, Items
from models.recommender.repeat import FADING, SIZE, RepeatBuyers

BASKETS = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True), min_size=1, max_size=30)


def learned(baskets: list[list[str]]) -> tuple[Items, RepeatBuyers]:
    items = Items()
    buyers = RepeatBuyers(items)
    for at, basket in enumerate(baskets):
        for product, (times, gap) in zip(basket, buyers.learn_one("ann", basket, at), strict=True):
            items.learn_one(product, times, at, gap)
        items.mirror(basket)
    return items, buyers


def faded(baskets: list[list[str]], product: str) -> float:
    """The definition, with nothing kept up lazily."""
    return sum((float(len(b) ** -SIZE * FADING ** (len(baskets) - 1 - i)) for i, b in enumerate(baskets) if product in b), 0.0)


@given(BASKETS)
def test_lazy_fading_is_the_sum_it_stands_for(baskets: list[list[str]]) -> None:
    _, buyers = learned(baskets)
    for product in {product for basket in baskets for product in basket}:
        assert abs(buyers.predict_one("ann", product) - faded(baskets, product)) < 1e-9


@given(BASKETS)
def test_products_are_ranked_by_faded_purchases_times_the_return_rate(baskets: list[list[str]]) -> None:
    _, buyers = learned(baskets)
    bought = {product: sum(product in basket for basket in baskets) for basket in baskets for product in basket}
    mean = (sum(bought.values()) - len(bought) + 1) / (len(bought) + 1)

    def score(product: str) -> float:
        rate = (bought[product] - 1 + PSEUDO_BUYERS * mean) / (1 + PSEUDO_BUYERS)
        return float(faded(baskets, product) * rate**TRUST)

    scores = [score(product) for product in buyers.ranked("ann", 9)]
    assert len(scores) == len(bought)
    assert all(first >= second - 1e-9 for first, second in pairwise(scores))


def test_bringing_weights_to_the_present_changes_no_score() -> None:
    baskets = [["a", "b"], ["a"], ["b", "c"], ["c"], ["a", "c"]] * 4
    _, never = learned(baskets)
    longest, repeat.LONGEST_RUN = repeat.LONGEST_RUN, 3
    try:
        _, often = learned(baskets)
    finally:
        repeat.LONGEST_RUN = longest
    assert often.members["ann"].run <= 3 < never.members["ann"].run
    assert never.ranked("ann", 9) == often.ranked("ann", 9)
    for product in "abc":
        assert abs(never.predict_one("ann", product) - often.predict_one("ann", product)) < 1e-12


def test_a_small_basket_says_more_of_its_product_than_a_large_one() -> None:
    _, buyers = learned([["a"]])
    _, others = learned([["a", "b", "c", "d", "e"]])
    assert buyers.predict_one("ann", "a") > others.predict_one("ann", "a")


def test_a_retired_product_is_not_scored() -> None:
    items, buyers = learned([["a", "b"]])
    items["a"].retired = True
    items.mirror(["a"])
    assert buyers.ranked("ann", 9) == ["b"]


def test_favourites_are_the_most_bought_then_the_latest() -> None:
    _, buyers = learned([["a"], ["b"], ["b"], ["c"]])
    assert buyers.favourites("ann", 3) == ["b", "c", "a"]
    assert buyers.favourites("nobody", 3) == []
