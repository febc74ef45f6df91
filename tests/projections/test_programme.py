from __future__ import annotations

from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aggregates.programme import Policies
from aggregates.programme.document import plain
from aggregates.programme.policy import PolicyPublished, policy
from projections.programme import ProgrammeView, programme, project

TEN = st.integers(0, 9)


def published(version: int, effective: int, at: int, document: dict[str, Any] | None = None) -> PolicyPublished:
    return PolicyPublished(
        policy="shop",
        version=version,
        document=document or {"return_days": version},
        zone="UTC",
        currency="USD",
        effective=effective,
        actor="ada",
        at=at,
    )


def view_of(*events: PolicyPublished) -> ProgrammeView:
    view = None
    for position, event in enumerate(events, 1):
        view = project(view, event, position)
    assert view
    return view


def shown(view: ProgrammeView) -> list[tuple[int, int]]:
    return [(version.version, version.effective) for version in view.versions]


def test_a_future_version_is_listed_after_the_one_in_force() -> None:
    assert shown(view_of(published(2, 10, at=10), published(3, 50, at=20))) == [(2, 10), (3, 50)]


def test_a_version_that_was_succeeded_is_left_out() -> None:
    assert shown(view_of(published(2, 10, at=10), published(3, 20, at=10), published(4, 30, at=25))) == [(3, 20), (4, 30)]


def test_a_version_replaced_before_it_took_effect_is_left_out() -> None:
    assert shown(view_of(published(2, 10, at=10), published(3, 50, at=20), published(4, 40, at=30))) == [(2, 10), (4, 40)]


def test_the_document_is_one_of_the_policy() -> None:
    assert programme.key(published(2, 10, at=10)) == "programme:shop"


@given(st.lists(st.tuples(TEN, TEN), min_size=1, max_size=6), TEN)
def test_a_reader_finds_the_version_that_decisions_use(history: list[tuple[int, int]], later: int) -> None:
    events = [published(number, since, at) for number, (since, at) in enumerate(history, 2)]
    view, now = view_of(*events), max(at for _, at in history) + later
    begun = [version.version for version in view.versions if version.effective <= now]
    policies: Policies = reduce(policy.evolve, events, policy.initial)
    expected = policies.at(now)
    assert (begun[-1] if begun else 1) == expected.version
    if begun:
        assert expected.return_days == expected.version == plain(expected)["return_days"]
