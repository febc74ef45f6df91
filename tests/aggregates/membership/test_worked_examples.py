"""The worked examples of the ledger's semantics, to the unit."""

from __future__ import annotations

from itertools import permutations

import pytest

from aggregates.decider import Context
from aggregates.membership.commands import RedeemPoints, ReturnPoints
from aggregates.membership.events import (
    LotActivated,
    PointsClawedBack,
    PointsGranted,
    PointsRedeemed,
    PointsReturned,
    TierRaised,
)
from aggregates.membership.ledger.events import IssuedLot
from aggregates.order.decider import PayOrder, order
from aggregates.order.events import OrderLine
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.programme import Bonus, Earning, SpendRule
from aggregates.reactions import react
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, DAY, instant, refusing
from tests.aggregates.membership.lives import Ledger, only, policies

BONUS = policies(earning=Earning(spend=(SpendRule(bonuses=(Bonus(200, 100),)),)))
START = instant("2026-06-10T12:00", "UTC")
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


def day(text: str) -> int:
    return instant(text, "UTC")


def test_1_what_expires_first_is_spent_first_and_returns_to_where_it_came_from() -> None:
    granted = PointsGranted(
        member="m",
        lot="L1",
        order="L1",
        points=300,
        net=30_000,
        tier="member",
        multiplier=(1, 1),
        qualifying=0,
        terms=1,
        at=day("2026-11-01"),
    )
    made = (("L1", 300, "2027-01-01"), ("L2", 500, "2027-07-01"), ("L3", 200, "2026-12-01"))
    ledger = Ledger(policies())
    for number, (lot, points, ends) in enumerate(made):
        at = day("2026-11-01") + number
        ledger.events.append(replace(granted, lot=lot, order=lot, points=points, at=at))
        ledger.events.append(LotActivated(member="m", lot=lot, active_from=at, at=at, expires_at=day(ends)))
    ledger = Ledger(policies(), ledger.events)
    spent = ledger.give(RedeemPoints("m", "r", 600, day("2026-11-21T10:00")))
    assert only(PointsRedeemed, spent).allocations == (("L3", 200), ("L1", 300), ("L2", 100))
    half = ledger.give(ReturnPoints("m", "r", "half", day("2026-12-05T10:00"), 300))
    assert only(PointsReturned, half).restored == (("L2", 100), ("L1", 200))
    rest = only(PointsReturned, ledger.give(ReturnPoints("m", "r", "rest", day("2026-12-05T11:00"))))
    assert rest.restored == (("L1", 100),)
    assert rest.reissued == (IssuedLot("L3+rest", "L3", 200, expires_at=day("2027-01-05")),), "to the end of 4 January"
    assert ledger.left() == {"L1": 300, "L2": 500, "L3+rest": 200}
    assert (only(PointsReturned, half).money, rest.money) == (300, 300)
    with refusing("nothing_left"):
        ledger.give(ReturnPoints("m", "r", "more", day("2026-12-05T12:00")))


@pytest.mark.parametrize("way", list(permutations([1, 2, 3])))
def test_2_refunds_in_any_order_take_back_all_that_was_granted_the_bonus_too(way: tuple[int, ...]) -> None:
    purchase = order.decide(PlaceOrder("o", LINES, "USD", START, member="m"), order.initial, CONTEXT)
    purchase += order.decide(PayOrder("o", START), order.rebuild(purchase), CONTEXT)
    for line in way:
        purchase += order.decide(
            RefundOrder("o", f"r-{line}", START + DAY, (RefundPart(line),)), order.rebuild(purchase), CONTEXT
        )
    ledger = Ledger(BONUS, [GOLD])
    for fact in purchase:
        for command in react(fact, Context(BONUS)):
            ledger.give(command)  # type: ignore[arg-type]
    granted = only(PointsGranted, ledger.events)
    clawed = [event.points for event in ledger.events if isinstance(event, PointsClawedBack)]
    assert (granted.points, granted.multiplier, granted.bonuses) == (438, (3, 2), ((20_000, 100),))
    assert sum(clawed) == 438
    if way == (2, 1, 3):
        assert clawed == [190, 180, 68]


def test_3_a_late_refund_of_spent_points_is_owed_and_settled_before_anything_is_spent() -> None:
    ledger = Ledger(BONUS, [GOLD])
    ledger.buy("o", 22_550, START)
    assert (ledger.state.pending(START), ledger.state.available(START)) == (438, 0)
    ledger.deliver("o", START)
    spend = START + 20 * DAY
    ledger.give(RedeemPoints("m", "r", 400, spend))
    clawed = only(PointsClawedBack, ledger.refund("o", "all", 0, spend + DAY))
    assert (clawed.allocations, clawed.debt_added) == ((("o", 38),), 400)
    assert ledger.state.debt(spend + DAY) == 400
    ledger.buy("next", 26_667, spend + 2 * DAY)
    ledger.deliver("next", spend + 2 * DAY)
    assert only(PointsGranted, [event for event in ledger.events if getattr(event, "lot", "") == "next"][:1]).points == 500
    active = spend + 16 * DAY
    assert [(ledger.state.debt(at), ledger.state.available(at)) for at in (active - 1, active)] == [(400, 0), (0, 100)]
