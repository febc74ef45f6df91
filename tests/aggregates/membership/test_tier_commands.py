"""Whatever is asked about tiers, the answer is facts or a refusal."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.decider import Refusal
from aggregates.membership.commands import EndTierOverride, OverrideTier
from aggregates.membership.decider import decide, membership
from aggregates.membership.state import Membership
from streams.commands.validation import require_valid
from tests.aggregates.given import CONTEXT
from tests.aggregates.membership.lives import under
from tests.examples import many

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**63, 10**30]),
    st.floats(),
    st.text(max_size=300),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(["pin", "floor", "silver", "gold", "member", "o"]),
)
instants = st.integers(0, 10**13)


def silver() -> Membership:
    life = under()
    life.buys("a", 1000, "2026-01-10")
    life.sets("o", "floor", "gold", "2026-01-11")
    return life.state


STATES = (membership.initial, silver())


def answered(command: Any, state: Membership) -> None:
    """Decided twice, the second time over what the first made of it, which changes nothing more."""
    refused = None
    try:
        require_valid(command)
        for event in decide(command, state, CONTEXT):
            state = membership.evolve(state, event)
        assert decide(command, state, CONTEXT) == []
    except Refusal as refusal:
        refused = refusal
    assert refused is None or (refused.code.isidentifier() and refused.sentence.endswith("."))


@settings(max_examples=many(500))
@given(st.sampled_from(STATES), anything, anything, anything, anything, anything, instants, st.one_of(anything, instants))
def test_an_override_of_anything_is_set_or_refused(
    state: Membership, override: Any, kind: Any, tier: Any, reason: Any, actor: Any, at: int, until: Any
) -> None:
    answered(OverrideTier("m", override, kind, tier, reason, actor, at, until), state)


@settings(max_examples=many(300))
@given(st.sampled_from(STATES), anything, anything, anything, anything, instants)
def test_the_end_of_anything_is_recorded_or_refused(
    state: Membership, member: Any, override: Any, reason: Any, actor: Any, at: int
) -> None:
    answered(EndTierOverride(member, override, reason, actor, at), state)
