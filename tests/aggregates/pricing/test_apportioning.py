from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.pricing.apportioning import apportion_capped, half_up
from tests.aggregates.pricing.checker import split

LINES = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 300)), min_size=1, max_size=9)


@given(LINES, st.integers(0, 3000))
def test_parts_sum_to_the_amount_and_none_exceeds_its_cap(lines: list[tuple[int, int]], amount: int) -> None:
    weights, caps = [weight for weight, _ in lines], [cap for _, cap in lines]
    amount = min(amount, sum(cap for weight, cap in lines if weight))
    parts = apportion_capped(amount, weights, caps)
    assert sum(parts) == amount
    assert all(0 <= part <= cap for part, cap in zip(parts, caps, strict=True))
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight)


@given(LINES, st.integers(0, 3000))
def test_parts_are_those_of_a_reader_with_fractions(lines: list[tuple[int, int]], amount: int) -> None:
    weights, caps = [weight for weight, _ in lines], [cap for _, cap in lines]
    amount = min(amount, sum(cap for weight, cap in lines if weight))
    if any(weights):
        assert apportion_capped(amount, weights, caps) == split(amount, weights, caps)


def test_more_than_the_caps_allow_is_an_error() -> None:
    with pytest.raises(ValueError, match="more than the lines can bear"):
        apportion_capped(7, [1, 0], [5, 5])


def test_a_tie_goes_to_the_earlier_line() -> None:
    assert apportion_capped(1, [5, 5], [5, 5]) == [1, 0]


@given(st.integers(0, 10**9), st.integers(0, 100), st.integers(1, 100))
def test_half_a_unit_rounds_up(amount: int, numerator: int, denominator: int) -> None:
    rounded = half_up(amount, numerator, denominator)
    assert -denominator < 2 * (amount * numerator - rounded * denominator) * 1 <= denominator or (
        2 * (rounded * denominator - amount * numerator) == denominator
    )
