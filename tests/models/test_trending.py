from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.delta import Delta
from models.recommender.trending import HOUR, PERIOD, UNIT, Trending

WEEK = 7 * 24 * HOUR


def ranked(trending: Trending) -> dict[str, dict[str, int]]:
    """Return what is written now."""
    delta = Delta()
    trending.dump(delta)
    return {key: dict(scores) for key, scores in delta.scores.items()}


def weight(period: int, at: int) -> int:
    trending = Trending()
    trending.learn_one("tea", at)
    return ranked(trending)[f"trending:{period}"]["tea"]


def test_a_purchase_counts_in_its_own_period_and_in_the_next() -> None:
    trending = Trending()
    for product in ("tea", "milk"):
        trending.learn_one(product, 5 * PERIOD)
    assert ranked(trending) == {
        "trending:5": {"tea": UNIT, "milk": UNIT},
        "trending:6": {"tea": UNIT // 16, "milk": UNIT // 16},
    }


@pytest.mark.parametrize("weeks", [1, 2, 3])
def test_a_purchase_weighs_twice_as_much_as_one_a_week_before(weeks: int) -> None:
    at = 5 * PERIOD + weeks * WEEK
    assert weight(5, at) == 2 * weight(5, at - WEEK) == 2**weeks * UNIT


def test_the_next_period_weighs_a_purchase_by_its_age() -> None:
    assert weight(6, 6 * PERIOD - WEEK) * 2 == weight(6, 6 * PERIOD) == UNIT


@given(st.integers(0, PERIOD - HOUR - 1), st.integers(0, 1000))
def test_a_later_purchase_never_weighs_less(into: int, period: int) -> None:
    at = period * PERIOD + into
    assert weight(period, at) < weight(period, at + HOUR)
    assert weight(period + 1, at) <= weight(period + 1, at + HOUR) <= UNIT


def test_purchases_add_up_and_what_is_taken_back_leaves_nothing() -> None:
    trending = Trending()
    for at in (0, 0, WEEK):
        trending.learn_one("tea", at)
    assert ranked(trending)["trending:0"] == {"tea": 4 * UNIT}
    for at in (WEEK, 0, 0):
        trending.unlearn_one("tea", at)
    assert ranked(trending)["trending:0"] == {"tea": -4 * UNIT}


def test_what_is_not_sold_leaves_and_comes_back_with_what_was_bought_and_given_back_meanwhile() -> None:
    trending = Trending()
    for _ in range(3):
        trending.learn_one("tea", 0)
    before = ranked(trending)
    trending.show("tea", False)
    trending.show("tea", False)
    assert ranked(trending) == {key: {"tea": -score} for key, scores in before.items() for score in scores.values()}
    trending.learn_one("tea", 0)
    trending.unlearn_one("tea", 0)
    assert ranked(trending) == {}
    trending.unlearn_one("tea", 0)
    trending.show("tea", True)
    assert ranked(trending)["trending:0"] == {"tea": 2 * UNIT}
