from __future__ import annotations

from dataclasses import replace

from aggregates.programme import Policies, Programme

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


def test_a_version_that_is_to_come_leaves_the_one_before_in_force() -> None:
    policies = Policies().with_version(SECOND, since=200).with_version(THIRD, since=300)
    assert [policies.at(at).version for at in (199, 200, 299, 300)] == [1, 2, 2, 3]
