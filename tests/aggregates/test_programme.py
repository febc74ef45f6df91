from __future__ import annotations

import pytest

from aggregates.programme import ENTRY_TIER, Programme

TERMS = Programme()


@pytest.mark.parametrize(
    ("spend", "rank"), [(0, 0), (99_999, 0), (100_000, 1), (299_999, 1), (300_000, 2), (10**9, 2), (-1, 0)]
)
def test_a_threshold_is_reached_to_the_cent(spend: int, rank: int) -> None:
    assert TERMS.reached(spend) == rank


@pytest.mark.parametrize(
    ("spend", "held", "kept"),
    [
        (240_000, 2, 2),
        (239_999, 2, 1),
        (80_000, 2, 1),
        (79_999, 2, 0),
        (80_000, 1, 1),
        (79_999, 1, 0),
        (10**9, 1, 1),
        (10**9, 0, 0),
    ],
)
def test_a_review_keeps_the_highest_tier_held_so_far_whose_keep_threshold_is_met(spend: int, held: int, kept: int) -> None:
    assert TERMS.kept(spend, held) == kept


def test_tiers_rank_above_the_entry_tier_in_their_order() -> None:
    assert [TERMS.rank(tier) for tier in (ENTRY_TIER, "silver", "gold")] == [0, 1, 2]
    assert [TERMS.name(rank) for rank in range(3)] == [ENTRY_TIER, "silver", "gold"]


def test_a_tier_that_the_terms_no_longer_know_ranks_and_earns_as_the_entry_tier() -> None:
    assert TERMS.rank("platinum") == 0
    assert TERMS.multiplier("platinum") == (1, 1)


def test_each_tier_has_its_multiplier() -> None:
    assert [TERMS.multiplier(tier) for tier in (ENTRY_TIER, "silver", "gold")] == [(1, 1), (5, 4), (3, 2)]


def test_thresholds_are_major_units_of_the_programmes_currency() -> None:
    assert Programme(currency="JPY").reached(1000) == 1
    assert Programme(currency="KWD").reached(999_999) == 0
