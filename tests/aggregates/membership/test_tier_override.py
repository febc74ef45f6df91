from __future__ import annotations

from typing import Any

import pytest

from aggregates.membership.commands import EndTierOverride, OverrideTier
from aggregates.membership.decider import decide, membership
from aggregates.membership.events import PointsGranted, TierOverridden, TierOverrideEnded
from streams.commands.validation import require_valid
from tests.aggregates.given import CONTEXT, instant, refusing
from tests.aggregates.membership.lives import under


def test_a_pin_holds_whatever_is_earned() -> None:
    life = under()
    life.sets("p", "pin", "silver", "2026-01-01")
    life.buys("a", 3000, "2026-01-10")
    assert (life.state.tier, life.tier("2026-01-10")) == ("gold", "silver")
    granted = life.buys("b", 100, "2026-01-11")[0]
    assert isinstance(granted, PointsGranted)
    assert (granted.tier, granted.points) == ("silver", 125)


def test_a_floor_lifts_who_is_below_and_nobody_else() -> None:
    life = under()
    life.sets("f", "floor", "silver", "2026-01-01")
    assert life.tier("2026-01-02") == "silver"
    life.buys("a", 3000, "2026-01-10")
    assert life.tier("2026-01-10") == "gold"
    assert life.tier("2027-02-01") == "silver", "what was earned is over, the floor is not"


def test_an_override_ends_at_its_date_even_if_nothing_records_it() -> None:
    life = under()
    life.sets("f", "floor", "gold", "2026-01-01", until="2026-02-01")
    assert [life.tier(day) for day in ("2026-01-31T23:59", "2026-02-01T00:00")] == ["gold", "member"]
    ended, granted = life.buys("a", 100, "2026-03-01")
    assert isinstance(ended, TierOverrideEnded)
    assert (ended.reason, ended.actor, ended.at, ended.shown.tier) == ("over", None, instant("2026-02-01"), "member")
    assert granted.points == 100


def test_an_override_is_ended_by_hand() -> None:
    life = under()
    life.sets("p", "pin", "gold", "2026-01-01")
    (ended,) = life.ends("p", "2026-01-05")
    assert (ended.reason, ended.actor, ended.shown.tier) == ("settled", "ada", "member")
    assert (life.ends("p", "2026-01-06"), life.tier("2026-01-06")) == ([], "member")


def test_an_override_takes_the_place_of_the_one_before() -> None:
    life = under()
    life.sets("f", "floor", "gold", "2026-01-01")
    life.sets("g", "floor", "silver", "2026-01-02")
    assert life.tier("2026-01-02") == "silver"
    assert life.ends("f", "2026-01-03") == []
    assert life.tier("2026-01-03") == "silver"


def test_the_same_override_again_changes_nothing_even_when_it_is_over() -> None:
    life = under()
    assert len(life.sets("f", "floor", "gold", "2026-01-01", until="2026-02-01")) == 1
    assert life.sets("f", "floor", "gold", "2026-01-02", until="2026-02-01") == []
    life.ticks("2026-02-02")
    assert (life.sets("f", "floor", "gold", "2026-02-03", until="2027-02-01"), life.tier("2026-02-03")) == ([], "member")


def test_an_override_says_what_the_member_has_from_then_on() -> None:
    life = under()
    life.buys("a", 800, "2026-01-10")
    (overridden,) = life.sets("f", "floor", "silver", "2026-01-11")
    assert isinstance(overridden, TierOverridden)
    ahead = overridden.shown.ahead
    assert (overridden.shown.tier, ahead.tier, ahead.missing) == ("silver", "gold", 220_000)
    assert (overridden.kind, overridden.reason, overridden.actor, overridden.until) == ("floor", "a complaint", "ada", None)


def test_a_review_beneath_a_pin_goes_on() -> None:
    life = under()
    life.buys("a", 1000, "2026-01-10")
    life.sets("p", "pin", "gold", "2026-06-01")
    (lowered,) = life.ticks("2027-02-01")
    assert (lowered.tier, lowered.shown.tier) == ("member", "gold")


GIVEN: dict[str, Any] = {
    "member": "m",
    "override": "o",
    "kind": "pin",
    "tier": "silver",
    "reason": "a complaint",
    "actor": "ada",
    "at": 10,
}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"kind": "ceiling"}, "override_kind_invalid"),
        ({"tier": "platinum"}, "tier_unknown"),
        ({"tier": 7}, "command_invalid"),
        ({"until": 10}, "override_over"),
        ({"until": "tomorrow"}, "command_invalid"),
        ({"until": 10**15}, "until_invalid"),
        ({"reason": " "}, "reason_invalid"),
        ({"reason": "x" * 201}, "reason_invalid"),
        ({"reason": None}, "command_invalid"),
        ({"actor": ""}, "actor_id_invalid"),
        ({"override": "\n"}, "override_id_invalid"),
        ({"member": ""}, "member_id_invalid"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(wrong: dict[str, Any], code: str) -> None:
    with refusing(code):
        command = OverrideTier(**{**GIVEN, **wrong})
        require_valid(command)
        decide(command, membership.initial, CONTEXT)


def test_an_override_that_never_was_cannot_be_ended() -> None:
    with refusing("override_unknown"):
        decide(EndTierOverride("m", "o", "settled", "ada", 10), membership.initial, CONTEXT)


def test_the_entry_tier_may_be_pinned() -> None:
    life = under()
    life.buys("a", 3000, "2026-01-10")
    life.sets("p", "pin", "member", "2026-01-11")
    assert life.tier("2026-01-12") == "member"
