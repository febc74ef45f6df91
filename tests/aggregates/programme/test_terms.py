from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.programme import ENTRY_TIER, Policies, Programme, Validity
from aggregates.value import replace
from tests.aggregates.given import instant

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


# Versions

SECOND = replace(Programme(), return_days=30)
THIRD = replace(Programme(), return_days=7)


def test_a_shop_that_published_nothing_has_the_default_programme_at_any_time() -> None:
    policies = Policies.first("Europe/Paris", "EUR")
    assert [policies.at(at) for at in (-1, 0, 10**15)] == [Programme("Europe/Paris", "EUR", version=1)] * 3


def test_a_version_holds_from_its_instant_on() -> None:
    policies = Policies().with_version(SECOND, since=100)
    assert [policies.at(at).version for at in (99, 100, 101)] == [1, 2, 2]
    assert policies.at(100) == policies.version(2) == replace(SECOND, version=2)


def test_a_later_version_replaces_versions_still_to_come() -> None:
    policies = Policies().with_version(SECOND, since=300).with_version(THIRD, since=200)
    assert [policies.at(at).version for at in (199, 200, 300)] == [1, 3, 3]


def test_the_timeline_leaves_out_what_was_replaced_before_it_took_effect() -> None:
    policies = Policies().with_version(SECOND, since=300).with_version(THIRD, since=200).with_version(SECOND, since=400)
    assert [(known.since, known.terms.version) for known in policies.timeline] == [(0, 1), (200, 3), (400, 4)]
    at_once = Policies().with_version(SECOND, since=0)
    assert [known.terms.version for known in at_once.timeline] == [1, 2]


@given(st.lists(st.integers(0, 9), max_size=6), st.integers(-1, 10))
def test_what_is_in_force_is_the_last_of_the_timeline_that_has_begun(instants: list[int], now: int) -> None:
    policies = reduce(lambda known, since: known.with_version(SECOND, since), instants, Policies())
    begun = [known.terms for known in policies.timeline if known.since <= now]
    assert policies.at(now) == (begun[-1] if begun else policies.versions[0].terms)


def test_a_version_that_is_to_come_leaves_the_one_before_in_force() -> None:
    policies = Policies().with_version(SECOND, since=200).with_version(THIRD, since=300)
    assert [policies.at(at).version for at in (199, 200, 299, 300)] == [1, 2, 2, 3]


# Validity


@pytest.mark.parametrize(
    ("validity", "active_from", "expired"),
    [
        (Validity("days", 30), "2026-12-05T15:00", "2027-01-05"),
        (Validity("days", 0), "2026-12-05T15:00", "2026-12-06"),
        (Validity("days", 1), "2026-03-07T15:00", "2026-03-09"),  # the clock changes on the 8th
        (Validity("months", 1), "2026-01-31T00:00", "2026-03-01"),
        (Validity("months", 12), "2024-02-29T23:59", "2025-03-01"),
        (Validity("months", 6), "2026-08-31", "2027-03-01"),
        (Validity("end_of_month"), "2026-02-01", "2026-03-01"),
        (Validity("end_of_month"), "2026-01-31T23:59", "2026-02-01"),
        (Validity("end_of_month", 1), "2026-12-31T23:59", "2027-02-01"),
        (Validity("end_of_year"), "2026-01-01", "2027-01-01"),
        (Validity("end_of_year"), "2026-12-31T23:59", "2027-01-01"),
        (Validity("end_of_year", 2), "2026-06-01", "2029-01-01"),
    ],
)
def test_points_live_to_the_end_of_a_local_day(validity: Validity, active_from: str, expired: str) -> None:
    assert validity.ends(instant(active_from), "America/New_York") == instant(expired)


def test_a_tier_may_lengthen_it_by_days() -> None:
    assert Validity("end_of_year").ends(instant("2026-06-01"), "America/New_York", extra_days=31) == instant("2027-02-01")


def test_points_without_validity_never_expire() -> None:
    assert Validity().ends(instant("2026-06-01"), "America/New_York", extra_days=31) is None
