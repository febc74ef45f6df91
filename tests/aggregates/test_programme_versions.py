from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from aggregates.programme import Policies, Programme
from aggregates.value import replace

SECOND = replace(Programme(), return_days=30)
THIRD = replace(Programme(), return_days=7)


def test_a_shop_that_published_nothing_has_the_default_programme_at_any_time() -> None:
    policies = Policies.first("Europe/Paris", "EUR")
    assert [policies.at(at) for at in (-1, 0, 10**15)] == [Programme("Europe/Paris", "EUR", version=1)] * 3


def test_a_version_holds_from_its_instant_on() -> None:
    policies = Policies().with_version(SECOND, since=100)
    assert [policies.at(at).version for at in (99, 100, 101)] == [1, 2, 2]
    assert policies.at(100) == policies.version(2) == replace(SECOND, version=2)


def test_a_later_version_replaces_what_was_to_come_after_it() -> None:
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
