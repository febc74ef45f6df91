from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from aggregates.decider import Context, Refusal
from aggregates.programme import Policies, Programme, Tier
from aggregates.programme.document import plain
from aggregates.programme.policy import PolicyPublished, PublishPolicy, policy
from aggregates.value import replace
from tests.aggregates.given import refusing
from tests.aggregates.programme.test_document import ANY_PLAIN

CONTEXT = Context(Policies.first("Europe/Paris", "EUR"))


def publish(document: dict[str, Any], effective: int = 100, at: int = 50, **told: Any) -> PublishPolicy:
    return PublishPolicy(document, effective, "ada", at, **told)


def after(*commands: PublishPolicy) -> Policies:
    state = policy.initial
    for command in commands:
        for event in policy.decide(command, state, CONTEXT):
            state = policy.evolve(state, event)
    return state


def test_a_published_policy_is_complete_and_holds_from_its_instant() -> None:
    (published,) = policy.decide(publish({"return_days": "30"}), policy.initial, CONTEXT)
    terms = Programme("Europe/Paris", "EUR", version=2, return_days=30)
    assert published == PolicyPublished(
        policy="shop", version=2, document=plain(terms), zone="Europe/Paris", currency="EUR", effective=100, actor="ada", at=50
    )
    state = policy.rebuild([published])
    assert state.at(99) == Programme("Europe/Paris", "EUR")
    assert state.at(100) == terms


def test_publishing_the_same_again_changes_nothing() -> None:
    once = after(publish({"return_days": 30}))
    assert after(publish({"return_days": 30}), publish({"return_days": 30}, effective=200)) == once


def test_the_same_may_take_effect_earlier() -> None:
    state = after(publish({"return_days": 30}), publish({"return_days": 30}, effective=60))
    assert [state.at(at).return_days for at in (59, 60)] == [14, 30]


def test_the_default_programme_may_be_published() -> None:
    state = after(publish({}))
    assert state.at(100) == replace(Programme("Europe/Paris", "EUR"), version=2)


def test_an_older_event_reads_a_new_term_as_its_default() -> None:
    old = PolicyPublished(
        policy="shop",
        version=2,
        document={"return_days": 7, "was_once": "a term"},
        zone="UTC",
        currency="USD",
        effective=0,
        actor="ada",
        at=0,
    )
    assert policy.rebuild([old]).newest == Programme(version=2, return_days=7)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"return_days": "soon"}, "return_days: expected a whole number, not 'soon'."),
        ({"return_days": -1}, "return_days: must be from 0 to 3,660, not -1."),
        ({"teirs": []}, "teirs: 'teirs' is not known here; did you mean 'tiers'?."),
        ([], "The document: expected fields"),
    ],
)
def test_an_invalid_document_is_refused_with_path_and_reason(document: Any, sentence: str) -> None:
    with refusing("policy_invalid") as refused:
        policy.decide(publish(document), policy.initial, CONTEXT)
    assert str(refused.value).startswith(sentence)


def test_a_policy_cannot_take_effect_in_the_past() -> None:
    with refusing("effective_past"):
        policy.decide(publish({}, effective=49, at=50), policy.initial, CONTEXT)
    assert policy.decide(publish({}, effective=50, at=50), policy.initial, CONTEXT)


@given(ANY_PLAIN, ANY_PLAIN, ANY_PLAIN, ANY_PLAIN)
def test_any_command_is_published_or_refused_with_a_sentence(document: Any, effective: Any, actor: Any, replaces: Any) -> None:
    command = PublishPolicy(document, effective, actor, 0, replaces=replaces)
    try:
        (published,) = policy.decide(command, policy.initial, CONTEXT)
    except Refusal as refused:
        code = refused.code
    else:
        code = ""
        assert policy.rebuild([published]).newest.version == 2
    assert code in {"", "policy_invalid", "actor_id_invalid", "effective_invalid", "policy_changed"}


def test_a_policy_needs_an_actor() -> None:
    with refusing("actor_id_invalid"):
        policy.decide(replace(publish({}), actor=""), policy.initial, CONTEXT)


@pytest.mark.parametrize("effective", [-1, 10**15 * 99, True, "now", None])
def test_a_policy_takes_effect_at_an_instant(effective: Any) -> None:
    with refusing("effective_invalid"):
        policy.decide(publish({}, effective), policy.initial, CONTEXT)


def test_replacing_an_older_version_is_refused() -> None:
    state = after(publish({"return_days": 30}, replaces=1))
    with refusing("policy_changed"):
        policy.decide(publish({"return_days": 31}, replaces=1), state, CONTEXT)
    assert len(after(publish({"return_days": 30}), publish({"return_days": 31}, replaces=2)).versions) == 3


def test_each_version_has_its_own_tiers() -> None:
    tiers = [{"name": "vip", "threshold": 5, "keep": 5, "multiplier": "2"}]
    state = after(publish({"tiers": tiers}))
    assert state.newest.tiers == (Tier("vip", 5, 5, (2, 1)),)
    assert state.version(1).tiers == Programme().tiers
