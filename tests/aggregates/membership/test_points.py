from __future__ import annotations

from typing import Any

import pytest

from aggregates.decider import Context
from aggregates.membership.commands import ActivatePoints, ClawBackPoints, Command, GrantPoints, RedeemPoints
from aggregates.membership.decider import membership
from aggregates.membership.events import DebtSettled, Event, LotActivated, PointsClawedBack, PointsGranted, PointsRedeemed
from aggregates.membership.state import Membership
from aggregates.programme import Policies, Programme
from aggregates.value import replace
from streams.commands.validation import require_valid
from tests.aggregates.given import DAY, ZONE, instant, refusing

POLICIES = Policies.first(ZONE, "USD")
CONTEXT = Context(POLICIES)
NOW = instant("2026-06-10T12:00")
READY = instant("2026-06-26T12:00")  # delivered two days later, then the return window of 14 days


def grant(order: str, net: int, at: int = NOW) -> GrantPoints:
    return GrantPoints("m", order, net, at)


def deliver(order: str, at: int = NOW + 2 * DAY) -> ActivatePoints:
    return ActivatePoints("m", order, at)


def redeem(redemption: str, points: int, at: int = READY) -> RedeemPoints:
    return RedeemPoints("m", redemption, points, at)


def claw_back(order: str, reversal: str, net: int, at: int = READY) -> ClawBackPoints:
    return ClawBackPoints("m", order, reversal, net, at)


def after(*commands: Command) -> Membership:
    state = membership.initial
    for command in commands:
        for event in membership.decide(command, state, CONTEXT):
            state = membership.evolve(state, event)
    return state


def untold(*events: Any) -> list[Event]:
    """Without the way to the next tier, which is told elsewhere."""
    return [replace(event, ahead=None) for event in events]


def test_a_purchase_earns_a_point_a_major_unit() -> None:
    (granted,) = membership.decide(grant("a", 11_999), membership.initial, CONTEXT)
    assert untold(granted) == [
        PointsGranted(
            member="m",
            lot="a",
            order="a",
            points=119,
            net=11_999,
            tier="member",
            multiplier=(1, 1),
            qualifying=11_999,
            terms=1,
            at=NOW,
        )
    ]


def test_the_terms_that_were_used_are_frozen() -> None:
    context = Context(Policies.first(ZONE, "JPY").with_version(Programme(ZONE, "JPY"), since=NOW))
    (granted,) = membership.decide(GrantPoints("m", "a", 500, NOW), membership.initial, context)
    assert isinstance(granted, PointsGranted)
    assert (granted.points, granted.terms) == (500, 2)


def test_granting_twice_changes_nothing() -> None:
    assert membership.decide(grant("a", 500), after(grant("a", 11_999)), CONTEXT) == []


@pytest.mark.parametrize("net", [0, -1])
def test_what_cost_nothing_earns_nothing(net: int) -> None:
    assert membership.decide(grant("a", net), membership.initial, CONTEXT) == []


def test_points_are_pending_until_the_return_window_closes() -> None:
    state = after(grant("a", 10_000))
    assert membership.decide(deliver("a"), state, CONTEXT) == [
        LotActivated(member="m", lot="a", active_from=READY, at=NOW + 2 * DAY)
    ]
    delivered = after(grant("a", 10_000), deliver("a"))
    assert (delivered.available(READY - 1), delivered.pending(READY - 1)) == (0, 100)
    assert (delivered.available(READY), delivered.pending(READY)) == (100, 0)
    assert (state.available(READY + 900 * DAY), state.pending(READY + 900 * DAY)) == (0, 100)


def test_the_return_window_is_counted_in_the_shops_days() -> None:
    delivered = instant("2026-10-25T18:00")  # the clock goes back a week later
    (activated,) = membership.decide(deliver("a", delivered), after(grant("a", 10_000)), CONTEXT)
    assert activated == LotActivated(member="m", lot="a", active_from=instant("2026-11-08T18:00"), at=delivered)


@pytest.mark.parametrize("given", [after(), after(grant("a", 0)), after(grant("a", 10_000), deliver("a"))])
def test_delivering_what_earned_nothing_or_twice_changes_nothing(given: Membership) -> None:
    assert membership.decide(deliver("a", READY), given, CONTEXT) == []


SPENT_IN_ORDER = (grant("old", 30_000), grant("new", 50_000, NOW + DAY), deliver("new"), deliver("old", NOW + 3 * DAY))


def test_what_became_spendable_first_is_spent_first() -> None:
    at = READY + 2 * DAY
    assert membership.decide(redeem("r-1", 600, at), after(*SPENT_IN_ORDER), CONTEXT) == [
        PointsRedeemed(
            member="m", redemption="r-1", order=None, points=600, allocations=(("new", 500), ("old", 100)), at=at, money=600
        )
    ]


def test_redeeming_all_of_it_leaves_nothing() -> None:
    at = READY + 2 * DAY
    assert after(*SPENT_IN_ORDER, redeem("r-1", 800, at)).available(at) == 0


def test_redeeming_twice_changes_nothing() -> None:
    given = after(grant("a", 10_000), deliver("a"), redeem("r-1", 60))
    assert membership.decide(redeem("r-1", 60), given, CONTEXT) == []


@pytest.mark.parametrize("at", [READY - 1, READY])
def test_only_what_is_spendable_by_now_can_be_spent(at: int) -> None:
    given = after(grant("a", 10_000), deliver("a"))
    with refusing("points_short"):
        membership.decide(redeem("r-1", 101 if at == READY else 1, at), given, CONTEXT)


def test_no_decision_acts_backwards() -> None:
    given = after(grant("a", 10_000), deliver("a"), redeem("r-1", 10, READY + DAY))
    assert membership.decide(redeem("r-2", 10, NOW), given, CONTEXT) == [
        PointsRedeemed(member="m", redemption="r-2", order=None, points=10, allocations=(("a", 10),), at=READY + DAY, money=10)
    ]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (redeem("", 1), "redemption_id_invalid"),
        (redeem("r", 0), "points_invalid"),
        (redeem("r", -1), "points_invalid"),
    ],
)
def test_a_redemption_has_a_name_and_is_for_something(command: RedeemPoints, code: str) -> None:
    with refusing(code):
        require_valid(command)


def test_a_refund_takes_back_what_the_rest_does_not_earn() -> None:
    given = after(grant("a", 22_550))
    (clawed,) = membership.decide(claw_back("a", "r-1", 16_549, NOW), given, CONTEXT)
    assert untold(clawed) == [
        PointsClawedBack(
            member="m",
            lot="a",
            reversal="r-1",
            points=60,
            allocations=(("a", 60),),
            debt_added=0,
            net=16_549,
            qualifying=16_549,
            at=NOW,
            order="a",
        )
    ]


def test_the_same_refund_twice_changes_nothing() -> None:
    given = after(grant("a", 22_550), claw_back("a", "r-1", 16_549))
    assert membership.decide(claw_back("a", "r-1", 0), given, CONTEXT) == []


def test_a_refund_of_what_earned_nothing_changes_nothing() -> None:
    assert membership.decide(claw_back("a", "r-1", 0), after(grant("b", 10_000)), CONTEXT) == []


def test_points_that_are_gone_are_taken_from_what_is_spendable_never_from_what_is_pending() -> None:
    given = after(grant("a", 10_000), grant("b", 3_000), grant("c", 9_000), deliver("a"), deliver("b"), redeem("r", 100))
    clawed = membership.decide(claw_back("a", "r-1", 0), given, CONTEXT)
    left = (("b", 30),)
    assert untold(*clawed) == [
        PointsClawedBack(
            member="m",
            lot="a",
            reversal="r-1",
            points=100,
            allocations=left,
            debt_added=70,
            net=0,
            qualifying=12_000,
            at=READY,
            order="a",
        )
    ]


IN_DEBT = (grant("a", 43_800), deliver("a"), redeem("r-1", 400), claw_back("a", "back", 0))
LATER = instant("2026-07-30T12:00")
PAID_BACK = (*IN_DEBT, grant("b", 50_000, READY), deliver("b", READY))


def test_a_late_refund_of_spent_points_becomes_debt() -> None:
    state = after(*IN_DEBT)
    assert (
        state.balance(LATER),
        state.debt(LATER),
        state.available(LATER),
        state.pending(LATER),
    ) == (-400, 400, 0, 0)


def test_debt_is_settled_before_anything_is_spent() -> None:
    state = after(*PAID_BACK)
    assert (state.available(LATER), state.pending(READY)) == (100, 500)
    with refusing("points_short"):
        membership.decide(redeem("r-2", 101, LATER), state, CONTEXT)
    spent: list[Event] = [
        DebtSettled(member="m", lot="b", points=400, at=instant("2026-07-10T12:00")),
        PointsRedeemed(member="m", redemption="r-2", order=None, points=100, allocations=(("b", 100),), at=LATER, money=100),
    ]
    assert membership.decide(redeem("r-2", 100, LATER), state, CONTEXT) == spent
    settled = after(*PAID_BACK, redeem("r-2", 100, LATER))
    assert (settled.points.debts.get("points", 0), settled.balance(LATER)) == (0, 0)


def test_debt_is_gone_the_instant_that_points_cover_it_though_nothing_was_recorded() -> None:
    state = after(*PAID_BACK)
    due = max(lot.active_from or 0 for lot in state.points.lots.values())
    assert [(state.debt(now), state.available(now)) for now in (due - 1, due)] == [(400, 0), (0, 100)]
    assert state.points.debts.get("points", 0) == 400


def test_debt_that_is_not_covered_yet_leaves_nothing_to_spend() -> None:
    state = after(*IN_DEBT, grant("b", 39_900, READY), deliver("b", READY))
    assert (state.debt(LATER), state.available(LATER)) == (1, 0)
    with refusing("points_short"):
        membership.decide(redeem("r-2", 1, LATER), state, CONTEXT)
