"""Points for spending by rules that ask more than an order's net: lines, campaigns, thresholds, members."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.decider import LARGEST_COUNT
from aggregates.membership.earning.formula import BoughtLine
from aggregates.membership.events import PointsClawedBack, PointsGranted
from aggregates.programme import Audience, Bonus, Days, Earning, Multiplier, Selection, SpendRule
from tests.aggregates.given import instant
from tests.aggregates.membership.lives import Ledger, policies
from tests.examples import many

NOW = instant("2026-11-25T12:00", "UTC")
TEA = BoughtLine("earl", 1_000, "GROCERY", "tea")
WINE = BoughtLine("merlot", 2_000, "DRINKS", "wine")
CARD = BoughtLine("card", 5_000, "GIFTS", "gift cards")
DOUBLE = Multiplier("double tea", (2, 1), Selection(categories=("tea",)))
TRIPLE = Multiplier("triple grocery", (3, 1), Selection(departments=("GROCERY",)))
NO_CARDS = Selection(categories=("gift cards",))


HUGE = SpendRule(rate=(1_000_000, 1), multipliers=(Multiplier("a", (1_000_000, 1)),) * 3, stacking="multiply")


def test_no_policy_grants_more_points_than_can_be_written_down() -> None:
    ledger = Ledger(policies(earning=Earning(spend=(HUGE,))))
    ledger.buy("o", 100_000, NOW)
    assert ledger.state.pending(NOW) == LARGEST_COUNT
    ledger.refund("o", "all", 0, NOW)
    assert (ledger.state.pending(NOW), ledger.state.debt(NOW)) == (0, 0)


def granted(rule: SpendRule, *lines: BoughtLine, tax: int = 0) -> PointsGranted:
    ledger = Ledger(policies(earning=Earning(spend=(rule,))))
    net = sum(line.paid for line in lines) - tax
    (one,) = [event for event in ledger.buy("o", net, NOW, lines) if isinstance(event, PointsGranted)]
    return one


@pytest.mark.parametrize(
    ("rule", "points"),
    [
        (SpendRule(), 80),
        (SpendRule(excluded=NO_CARDS), 30),
        (SpendRule(only=Selection(products=("earl",))), 10),
        (SpendRule(excluded=NO_CARDS, multipliers=(DOUBLE,)), 40),
        (SpendRule(multipliers=(DOUBLE, TRIPLE)), 100),
        (SpendRule(multipliers=(DOUBLE, TRIPLE), stacking="multiply"), 130),
        (SpendRule(multipliers=(Multiplier("week", (3, 2)),)), 120),
        (SpendRule(multipliers=(Multiplier("past", (3, 2), days=Days(last="2026-11-24")),)), 80),
        (SpendRule(multipliers=(Multiplier("vip", (3, 2), audience=Audience(tags=("vip",))),)), 80),
        (SpendRule(rate=(1, 3)), 26),
        (SpendRule(excluded=NO_CARDS, bonuses=(Bonus(30, 7), Bonus(31, 100))), 37),
        (SpendRule(minimum=81), 0),
        (SpendRule(bonuses=(Bonus(1, 50),), cap=90), 90),
        (SpendRule(days=Days(first="2026-11-26")), 0),
        (SpendRule(audience=Audience(tiers=("gold",))), 0),
        (SpendRule(only=Selection(products=("none",)), bonuses=(Bonus(0, 5),)), 0),
    ],
)
def test_a_rule_earns_by_the_lines_it_is_about(rule: SpendRule, points: int) -> None:
    assert granted(rule, TEA, WINE, CARD).points == points


def test_the_tax_of_an_order_is_taken_from_its_lines_by_what_was_paid_for_each() -> None:
    one = granted(SpendRule(excluded=NO_CARDS, multipliers=(DOUBLE,)), TEA, WINE, CARD, tax=800)
    assert [(line.number, line.paid, line.net, line.rate) for line in one.lines] == [
        (1, 1_000, 900, (2, 1)),
        (2, 2_000, 1_800, (1, 1)),
    ]
    assert one.points == 36


def test_a_rule_without_lines_keeps_no_trace() -> None:
    assert granted(SpendRule(multipliers=(Multiplier("week", (3, 2)),)), TEA).lines == ()


@settings(max_examples=many(60), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([TEA, WINE, CARD]), st.integers(1, 30_000)), min_size=1, max_size=4),
    st.integers(0, 500),
    st.integers(0, 400),
)
def test_refunds_of_lines_in_any_order_leave_what_the_rest_earns_and_sum_to_the_grant(
    bought: list[tuple[BoughtLine, int]], tax: int, threshold: int
) -> None:
    lines = tuple(BoughtLine(line.product, paid, line.department, line.category) for line, paid in bought)
    rule = SpendRule(excluded=NO_CARDS, multipliers=(DOUBLE,), bonuses=(Bonus(threshold, 100),), rate=(3, 2))
    net = max(1, sum(line.paid for line in lines) - tax)
    ends: set[Any] = set()
    for way in permutations(range(len(lines))):
        ledger = Ledger(policies(earning=Earning(spend=(rule,))))
        ledger.buy("o", net, NOW, lines)
        kept = [line.paid for line in lines]
        halfway = None
        for number, line in enumerate(way):
            back = tuple(lines[line].paid if one == line else 0 for one in range(len(lines)))
            kept[line] = 0
            left = net * sum(kept) // sum(line.paid for line in lines)
            ledger.refund("o", f"r-{line}", left, NOW, given_back=back)
            if number == 0:
                halfway = (line, ledger.state.pending(NOW))
        clawed = sum(event.points for event in ledger.events if isinstance(event, PointsClawedBack))
        (grant,) = [event for event in ledger.events if isinstance(event, PointsGranted)]
        assert clawed == grant.points
        ends.add(halfway)
    assert len(ends) == len(lines), "after one and the same line, all ways stand the same"


def test_what_is_kept_of_lines_is_rounded_once_not_line_by_line() -> None:
    rule = SpendRule(excluded=NO_CARDS, bonuses=(Bonus(3, 7),))
    ledger = Ledger(policies(earning=Earning(spend=(rule,))))
    ledger.buy("o", 1_500, NOW, (TEA, WINE))  # half of what is paid is tax
    ledger.refund("o", "most", 300, NOW, given_back=(699, 1_701))
    assert ledger.state.pending(NOW) == 10, "1.505 and 1.495 of net are 3"


def test_a_bonus_is_lost_with_the_lines_that_reached_it() -> None:
    rule = SpendRule(excluded=NO_CARDS, bonuses=(Bonus(25, 100),))
    ledger = Ledger(policies(earning=Earning(spend=(rule,))))
    ledger.buy("o", 8_000, NOW, (TEA, WINE, CARD))
    ledger.refund("o", "card", 3_000, NOW, given_back=(0, 0, 5_000))
    assert ledger.state.pending(NOW) == 130
    ledger.refund("o", "tea", 2_000, NOW, given_back=(1_000, 0, 0))
    assert ledger.state.pending(NOW) == 20
