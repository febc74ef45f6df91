from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.order.events import OrderLine, OrderPaid
from projections.trending import HOUR, PERIOD, UNIT, trending
from tests.projections.folding import tallied

WEEK = 7 * 24 * HOUR


def paid(at: int, *products: str, quantity: int = 1) -> OrderPaid:
    lines = tuple(OrderLine(product, quantity, 100, 100, 100) for product in products)
    return OrderPaid(order="o", member="m", session=None, currency="USD", lines=lines, net=100, at=at)


def weight(period: int, at: int) -> int:
    return tallied(trending, paid(at, "tea")).scores[f"trending:{period}"]["tea"]


def test_a_purchase_counts_in_its_own_period_and_in_the_next() -> None:
    scores = tallied(trending, paid(5 * PERIOD, "tea", "milk")).scores
    assert scores == {
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


def test_a_purchase_of_many_counts_once_a_line() -> None:
    assert tallied(trending, paid(0, "tea", quantity=9)) == tallied(trending, paid(0, "tea"))


def test_purchases_add_up() -> None:
    scores = tallied(trending, paid(0, "tea"), paid(0, "tea"), paid(WEEK, "tea")).scores
    assert scores["trending:0"] == {"tea": 4 * UNIT}


def test_an_adjustment_is_no_purchase() -> None:
    assert tallied(trending, paid(0, "tea", quantity=0)).scores == {}
