"""What a member buys again, against the formula written out."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.recommender import habits
from models.recommender.habits import FADING, KEPT, MOST, SIZE, RepeatBuyers, column, texts
from models.recommender.items import HOUR, PSEUDO_BUYERS, TRUST, Items

BASKETS = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True), min_size=1, max_size=30)


def learned(baskets: list[list[str]]) -> tuple[Items, RepeatBuyers]:
    items = Items()
    buyers = RepeatBuyers(items)
    for at, basket in enumerate(baskets):
        for product, (times, gap, *_) in zip(basket, buyers.learn_one("ann", basket, at * HOUR), strict=True):
            items.learn_one(product, times, at * HOUR, gap)
        items.mirror(basket)
    return items, buyers


def faded(baskets: list[list[str]], product: str) -> float:
    """The definition, with nothing kept up lazily."""
    return sum((float(len(b) ** -SIZE * FADING ** (len(baskets) - 1 - i)) for i, b in enumerate(baskets) if product in b), 0.0)


@given(BASKETS)
def test_lazy_fading_is_the_sum_it_stands_for(baskets: list[list[str]]) -> None:
    _, buyers = learned(baskets)
    for product in {product for basket in baskets for product in basket}:
        assert abs(buyers.predict_one("ann", product) - faded(baskets, product)) < 1e-6


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
    assert all(first >= second - 1e-6 for first, second in pairwise(scores))


def test_bringing_weights_to_the_present_changes_no_score() -> None:
    baskets = [["a", "b"], ["a"], ["b", "c"], ["c"], ["a", "c"]] * 4
    _, never = learned(baskets)
    longest, habits.LONGEST_RUN = habits.LONGEST_RUN, 3
    try:
        _, often = learned(baskets)
    finally:
        habits.LONGEST_RUN = longest
    assert often.members["ann"].run <= 3 < never.members["ann"].run
    assert never.ranked("ann", 9)[0] == often.ranked("ann", 9)[0]
    for product in "abc":
        assert abs(never.predict_one("ann", product) - often.predict_one("ann", product)) < 1e-6


def test_a_small_basket_says_more_of_its_product_than_a_large_one() -> None:
    _, buyers = learned([["a"]])
    _, others = learned([["a", "b", "c", "d", "e"]])
    assert buyers.predict_one("ann", "a") > others.predict_one("ann", "a")


def test_a_retired_product_is_not_scored() -> None:
    items, buyers = learned([["a", "b"]])
    items.retire("a")
    assert buyers.ranked("ann", 9) == ["b"]


def test_favourites_are_the_most_bought_then_the_latest() -> None:
    _, buyers = learned([["a"], ["b"], ["b"], ["c"]])
    assert buyers.favourites("ann", 3) == ["b", "c", "a"]
    assert buyers.favourites("nobody", 3) == []


def test_what_was_bought_of_late_leads_the_baseline_that_fades_by_days() -> None:
    items = Items()
    buyers = RepeatBuyers(items)
    for at, product in ((0, "old"), (1, "old"), (700, "new")):
        buyers.learn_one("ann", [product], at * 24 * HOUR)
    assert buyers.decayed("ann", 2, 700 * 24 * HOUR) == ["new", "old"]
    assert buyers.favourites("ann", 2) == ["old", "new"]
    assert buyers.decayed("nobody", 2, 0) == []


def test_a_member_keeps_the_strongest_products() -> None:
    buyers = RepeatBuyers(Items())
    for n in range(MOST):
        buyers.learn_one("ann", ["milk", f"p{n}"], n * HOUR)
    found = buyers.members["ann"]
    assert KEPT <= len(found) <= MOST
    assert found.places["milk"] == 0
    assert f"p{MOST - 1}" in found.places
    assert "p0" not in found.places


def test_a_habit_reads_back_as_it_was_written_in_at_most_64_characters() -> None:
    buyers = RepeatBuyers(Items())
    for n in range(30):
        buyers.learn_one("ann", ["often", f"once-{n}"], n * 97 * HOUR + 12 * HOUR)
    found = buyers.members["ann"]
    places = list(range(len(found)))
    for place, text in zip(places, texts(found, places), strict=True):
        row, hours = column(text)
        assert len(text) <= 64
        assert row == found.table[:, place].tolist()
        assert hours == found.hours[:, place].tolist()
