"""Each measure against what was worked out by hand."""

from __future__ import annotations

from math import isnan, log2, sqrt

import numpy as np
import pytest

from models.evaluation.cases import NOTHING, Case
from models.evaluation.measures import PER_CASE, Results, mean_of, measured, novelty, over_time, summary


def case(truth: set[int], known: set[int] | None = None, owner: int = 0, earlier: int = 0, at: int = 0) -> Case:
    return Case("c", 0, owner, at, frozenset(truth), np.arange(earlier), frozenset(known or ()), NOTHING)


def test_every_measure_of_one_list_is_as_worked_out_by_hand() -> None:
    """Found in places 2 and 4 of four; the truth has five, of which 7 was had before."""
    values = dict(zip(PER_CASE, measured([1, 7, 2, 8], case({7, 8, 9, 10, 11}, known={7, 1}), 4), strict=False))
    gain = 1 / log2(3) + 1 / log2(5)
    assert values["recall"] == pytest.approx(2 / 5)
    assert values["precision"] == pytest.approx(2 / 4)
    assert values["f1"] == pytest.approx(2 * 0.4 * 0.5 / 0.9)
    assert values["ndcg"] == pytest.approx(gain / sum(1 / log2(n + 2) for n in range(5)))
    assert values["ndcg_min"] == pytest.approx(gain / sum(1 / log2(n + 2) for n in range(4)))
    assert values["mrr"] == pytest.approx(1 / 2)
    assert values["hr"] == 1
    assert values["recall_repeat"] == pytest.approx(1 / 1)
    assert values["recall_explore"] == pytest.approx(1 / 4)


def test_a_list_that_finds_nothing_is_worth_nothing() -> None:
    values = measured([1, 2], case({3}), 2)
    assert values[:7] == [0] * 7
    assert isnan(values[7]), "the truth repeats nothing, so the case does not count there"
    assert values[8] == 0


def test_places_past_the_cutoff_do_not_count() -> None:
    assert measured([1, 2, 3], case({3}), 2)[0] == 0
    assert measured([1, 2, 3], case({3}), 3)[0] == 1


def test_novelty_is_the_mean_information_of_the_listed_products() -> None:
    popularity = np.array([8, 4, 2, 2])
    assert novelty([0, 1], popularity, 2) == pytest.approx((1 + 2) / 2)
    assert novelty([2, 0], popularity, 1) == pytest.approx(3)


def test_the_error_of_a_mean_goes_by_owner() -> None:
    """Two members with two equal cases each: as if there were two cases, and the error of two."""
    values = np.array([1.0, 1.0, 0.0, 0.0])
    assert mean_of(values, np.array([0, 0, 1, 1])).error == pytest.approx(sqrt(2) * 0.5 / sqrt(2))
    assert mean_of(values, np.arange(4)).error == pytest.approx(np.std(values, ddof=1) / 2)


def test_cases_without_a_value_are_left_out_of_a_mean() -> None:
    assert mean_of(np.array([1.0, np.nan]), np.array([0, 1])).mean == 1


def results(lists: list[list[int]], cases: list[Case], cutoff: int = 2) -> Results:
    values = np.array([[*measured(listed, one, cutoff), 0.0] for listed, one in zip(lists, cases, strict=True)]).T
    return Results(lists, {cutoff: values})


def test_a_method_is_told_with_its_paired_difference_to_ours() -> None:
    cases = [case({0}, owner=0, earlier=0), case({1}, owner=1, earlier=2), case({2}, owner=2, earlier=5)]
    ours = results([[0, 9], [8, 1], [7, 6]], cases)
    other = results([[9, 0], [1, 8], [7, 2]], cases)
    told = summary(other, cases, products=10, ours=ours)
    assert told["hr@2"] == 1
    versus = told["versus_regulars"]
    third = pytest.approx(1 / 3, abs=1e-6)
    assert isinstance(versus, dict)
    assert versus["hr@2"] == {"difference": third, "se": third}
    assert told["mrr@2"] == pytest.approx((0.5 + 1 + 0.5) / 3, abs=1e-6)
    assert told["coverage@2"] == 0.6  # 0, 1, 2, 7, 8 and 9 of ten
    assert told["diversity@2"] == 1
    assert told["by_earlier"] == {
        "0": {"cases": 1, "recall@2": 1.0, "ndcg@2": pytest.approx(0.63093), "mrr@2": 0.5, "hr@2": 1.0},
        "1-3": {"cases": 1, "recall@2": 1.0, "ndcg@2": 1.0, "mrr@2": 1.0, "hr@2": 1.0},
        "4-9": {"cases": 1, "recall@2": 1.0, "ndcg@2": pytest.approx(0.63093), "mrr@2": 0.5, "hr@2": 1.0},
    }


def test_diversity_is_what_two_lists_do_not_share() -> None:
    cases = [case({0}), case({0})]
    assert summary(results([[1, 2], [2, 3]], cases), cases, 10, None)["diversity@2"] == 0.5


def test_a_measure_over_time_is_its_mean_in_each_period_with_cases() -> None:
    cases = [case({0}, at=0), case({1}, at=5), case({2}, at=25)]
    values = results([[0], [0], [2]], cases).values
    assert over_time(values, cases, "hr", (0, 10, 20, 30)) == [
        {"from": 0, "cases": 2, "hr": 0.5},
        {"from": 20, "cases": 1, "hr": 1.0},
    ]
