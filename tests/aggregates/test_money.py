from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.money import apportion, minor_units, part_of

AMOUNTS = st.integers(-(10**9), 10**9)


@pytest.mark.parametrize(("currency", "units"), [("USD", 100), ("EUR", 100), ("JPY", 1), ("KWD", 1000)])
def test_the_currency_sets_the_minor_units(currency: str, units: int) -> None:
    assert minor_units(currency) == units


@given(AMOUNTS, st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_parts_of_any_size_sum_to_the_amount(amount: int, sizes: list[int]) -> None:
    whole = sum(sizes)
    parts = [part_of(amount, sum(sizes[:i]), size, whole) for i, size in enumerate(sizes)]
    assert sum(parts) == amount


@given(st.integers(0, 10**9), st.integers(1, 50))
def test_units_of_one_line_differ_by_one_minor_unit_at_most(amount: int, whole: int) -> None:
    units = [part_of(amount, taken, 1, whole) for taken in range(whole)]
    assert max(units) - min(units) <= 1


def test_the_worked_example_of_two_shoes() -> None:
    assert [part_of(20137, taken, 1, 2) for taken in range(2)] == [10068, 10069]


@given(AMOUNTS, st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
def test_apportioned_shares_sum_to_the_amount(amount: int, weights: list[int]) -> None:
    assert sum(apportion(amount, weights)) == amount


@given(AMOUNTS, st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_no_share_is_a_minor_unit_away_from_its_exact_part(amount: int, weights: list[int]) -> None:
    total = sum(weights)
    for share, weight in zip(apportion(amount, weights), weights, strict=True):
        assert abs(share * total - amount * weight) < total


def test_the_largest_remainder_gets_what_is_left_over() -> None:
    assert apportion(10, [1, 2, 4]) == [1, 3, 6]  # exactly 1.43, 2.86 and 5.71


def test_a_tie_goes_to_the_earlier() -> None:
    assert apportion(3, [1, 1]) == [2, 1]


def test_the_discount_of_the_worked_example_is_split_to_the_cent() -> None:
    assert apportion(4000, [28310, 7990, 3325]) == [2858, 806, 336]


def test_without_weights_the_first_gets_all() -> None:
    assert apportion(5, [0, 0]) == [5, 0]


def test_no_weights_give_no_parts() -> None:
    assert apportion(5, []) == []
