"""Whatever is asked of a membership is answered: by facts, or by a refusal with a code and a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.decider import Context, Refusal
from aggregates.membership.commands import ActionCommand, AdjustPoints, HoldPoints, MemberRequest, RedeemPoints
from aggregates.membership.decider import membership
from aggregates.programme import Earning, EventRule, Reward, StreakRule, Transfers, Wallet
from aggregates.value import field_names
from streams.commands.validation import require_valid
from tests.aggregates.membership.lives import Ledger, policies
from tests.examples import many

NOW = 1_800_000_000_000
COMMANDS: tuple[Any, ...] = (*MemberRequest.__args__, *ActionCommand.__args__)
KNOWN = policies(
    Wallet(activates="at_payment", transfers=Transfers(allowed=True)),
    earning=Earning(events=(EventRule("r", "review", 5),), streaks=(StreakRule("s", (1, 2)),)),
    rewards=(Reward("mug", "product", "mug-01", 5),),
)
VALUES = st.one_of(
    st.sampled_from(["o", "r", "h", "mug", "review", "points", "", "x" * 201, "\x00", "\ud800", None, True, False, 1.5]),
    st.sampled_from([0, 1, -1, 5, 10**12, 10**30, -(10**30), [], {}, (), ("a",), [1], object]),
    st.text(max_size=5),
)


def told() -> Ledger:
    ledger = Ledger(KNOWN)
    ledger.buy("o", 10_000, NOW)
    ledger.give(RedeemPoints("m", "r", 10, NOW, order="o"))
    ledger.give(HoldPoints("m", "h", 10, NOW))
    ledger.give(AdjustPoints("m", "a", 10, "why", "kim", NOW))
    return ledger


STATE = told().state


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
@settings(max_examples=many(60), deadline=None)
@given(data=st.data())
def test_a_command_with_any_values_happens_or_is_refused_with_a_code_and_a_sentence(kind: Any, data: st.DataObject) -> None:
    values = {name: data.draw(VALUES, label=name) for name in field_names(kind) if name != "at"}
    values["member"] = data.draw(st.sampled_from(["m", "m", "", None, 5]), label="member")
    state, refusals = STATE, []
    try:
        command = kind(at=NOW, **values)
        require_valid(command, by_time=True)
        for event in membership.decide(command, STATE, Context(KNOWN)):
            state = membership.evolve(state, event)
    except Refusal as refusal:
        refusals.append(refusal)
    for refused in refusals:
        assert refused.code.replace("_", "").isalpha()
        assert refused.sentence.endswith(".")
    assert state.available(NOW) >= 0
    assert state.debt(NOW) == 0
