from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.decider import Context
from aggregates.membership.commands import ActivatePoints, ClawBackPoints, GrantPoints, RedeemPoints
from aggregates.membership.decider import decide, membership
from aggregates.membership.earning.formula import points_for
from aggregates.membership.events import DebtSettled, Event, PointsClawedBack, PointsGranted, PointsRedeemed, TierRaised
from aggregates.membership.state import Membership
from aggregates.order.decider import PayOrder, order
from aggregates.order.events import Event as OrderEvent
from aggregates.order.events import OrderLine, OrderPaid, OrderRefunded
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.reactions import react
from tests.aggregates.given import DAY
from tests.aggregates.membership.histories import POLICIES, START, TERMS, lives

CONTEXT = Context(POLICIES)
GOLD = TierRaised(
    member="m",
    tier="gold",
    previous="member",
    qualifying=300_000,
    valid_until=START + 300 * DAY,
    revocable_until=None,
    provisional_until=None,
    shown=None,
    terms=1,
    at=START - 100 * DAY,
)
LINES = tuple(OrderLine(product, 1, net, net, net) for product, net in (("a", 11_999), ("b", 6_001), ("c", 4_550)))


def states(events: list[Event]) -> list[Membership]:
    return [membership.rebuild(events[:length]) for length in range(len(events) + 1)]


@given(lives)
def test_lots_less_debt_are_what_was_granted_less_what_was_taken_back_and_spent(events: list[Event]) -> None:
    for length, state in enumerate(states(events)):
        seen = events[:length]
        granted = sum(event.points for event in seen if isinstance(event, PointsGranted))
        clawed = sum(event.points for event in seen if isinstance(event, PointsClawedBack))
        redeemed = sum(event.points for event in seen if isinstance(event, PointsRedeemed))
        assert (
            sum(lot.remaining for lot in state.points.lots.values()) - state.points.debts.get("points", 0)
            == granted - clawed - redeemed
        )


@given(lives)
def test_no_lot_and_no_debt_falls_below_nothing(events: list[Event]) -> None:
    for state in states(events):
        assert state.points.debts.get("points", 0) >= 0
        assert all(lot.remaining >= 0 and lot.earned >= 0 for lot in state.points.lots.values())


@given(lives)
def test_an_allocation_is_complete(events: list[Event]) -> None:
    for event in events:
        if isinstance(event, PointsRedeemed):
            assert sum(points for _, points in event.allocations) == event.points
        if isinstance(event, PointsClawedBack):
            assert sum(points for _, points in event.allocations) + event.debt_added == event.points
        if isinstance(event, PointsClawedBack | PointsRedeemed):
            assert all(points > 0 for _, points in event.allocations)


@given(lives)
def test_a_lot_has_earned_what_its_order_still_counts_for(events: list[Event]) -> None:
    state = membership.rebuild(events)
    for bought in state.earning.purchases.values():
        assert state.points.lots[bought.order].earned == points_for(bought.net, bought.grants[0].formula.multiplier, TERMS.unit)


@given(lives, st.integers(-50, 400))
def test_what_is_owed_is_never_spendable(events: list[Event], days: int) -> None:
    state = membership.rebuild(events)
    now = max(state.latest, START + days * DAY)
    if state.available(now):
        spent = decide(RedeemPoints("m", "all", state.available(now), now), state, CONTEXT)
        settled = sum(event.points for event in spent if isinstance(event, DebtSettled))
        after = membership.rebuild([*events, *spent])
        assert (settled, after.points.debts.get("points", 0), after.balance(now)) == (state.points.debts.get("points", 0), 0, 0)


@given(lives, st.lists(st.integers(-50, 2000), min_size=1, max_size=5))
def test_who_is_in_debt_has_nothing_to_spend_at_any_instant(events: list[Event], days: list[int]) -> None:
    for state in states(events):
        for now in (state.latest, *(START + day * DAY for day in days)):
            active = sum(lot.remaining for lot in state.points.lots.values() if lot.is_active(now))
            available, debt = state.available(now), state.debt(now)
            assert available == 0 or debt == 0
            assert available - debt == state.balance(now) == active - state.points.debts.get("points", 0)
            assert 0 <= debt <= state.points.debts.get("points", 0)


@given(lives)
def test_the_tier_is_one_of_the_programmes_and_reviewed_only_if_above_the_entry(events: list[Event]) -> None:
    for state in states(events):
        assert (state.standing.now.valid_until is None) == (TERMS.rank(state.tier) == 0)
        assert state.tier == TERMS.name(TERMS.rank(state.tier))


@given(st.integers(1, 500_000), st.lists(st.integers(0, 500_000), max_size=6), st.data())
def test_points_clawed_back_depend_on_what_is_kept_not_on_the_way_there(
    net: int, steps: list[int], data: st.DataObject
) -> None:
    granted = decide(GrantPoints("m", "o", net, START), membership.rebuild([GOLD]), CONTEXT)
    events: list[Event] = [GOLD, *granted]
    if data.draw(st.booleans(), label="spent before"):
        events += decide(ActivatePoints("m", "o", START), membership.rebuild(events), CONTEXT)
        state = membership.rebuild(events)
        if state.available(START + 30 * DAY):
            events += decide(RedeemPoints("m", "p", state.available(START + 30 * DAY), START + 30 * DAY), state, CONTEXT)
    kept = [step for step in sorted(steps, reverse=True) if step <= net]
    for number, left in enumerate([*kept, 0]):
        events += decide(ClawBackPoints("m", "o", f"r-{number}", left, START + 31 * DAY), membership.rebuild(events), CONTEXT)
    (points,) = (event.points for event in events if isinstance(event, PointsGranted))
    assert sum(event.points for event in events if isinstance(event, PointsClawedBack)) == points
    assert membership.rebuild(events).points.lots["o"].earned == 0


@pytest.mark.parametrize("way", list(permutations([1, 2, 3])))
def test_refunds_in_any_order_take_back_the_grant_of_the_worked_example(way: tuple[int, ...]) -> None:
    purchase: list[OrderEvent] = order.decide(PlaceOrder("o", LINES, "USD", START, member="m"), order.initial, CONTEXT)
    purchase += order.decide(PayOrder("o", START), order.rebuild(purchase), CONTEXT)
    for line in way:
        parts = (RefundPart(line),)
        purchase += order.decide(RefundOrder("o", f"r-{line}", START + DAY, parts), order.rebuild(purchase), CONTEXT)
    events: list[Event] = [GOLD]
    for fact in purchase:
        for command in react(fact, CONTEXT):
            assert isinstance(command, GrantPoints | ClawBackPoints)
            events += decide(command, membership.rebuild(events), CONTEXT)
    retained = [fact.net for fact in purchase if isinstance(fact, OrderPaid)]
    retained += [fact.net_retained for fact in purchase if isinstance(fact, OrderRefunded)]
    targets = [net * 3 // 200 for net in retained]
    clawed = [event.points for event in events if isinstance(event, PointsClawedBack)]
    assert clawed == [before - after for before, after in pairwise(targets)]
    assert sum(clawed) == targets[0] == 338


def test_the_worked_example_takes_90_then_180_then_68() -> None:
    events: list[Event] = [GOLD, *decide(GrantPoints("m", "o", 22_550, START), membership.rebuild([GOLD]), CONTEXT)]
    for reversal, net in (("b", 16_549), ("a", 4_550), ("c", 0)):
        events += decide(ClawBackPoints("m", "o", reversal, net, START), membership.rebuild(events), CONTEXT)
    assert [event.points for event in events if isinstance(event, PointsClawedBack)] == [90, 180, 68]
