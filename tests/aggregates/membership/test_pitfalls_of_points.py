"""What other systems got wrong with earning points and taking them back, by where it was told; here it does not happen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from aggregates.decider import Context
from aggregates.membership.commands import RedeemPoints
from aggregates.membership.events import PointsClawedBack, PointsGranted
from aggregates.order.decider import PayOrder, order
from aggregates.order.events import OrderLine, OrderPaid, OrderRefunded
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.programme import Bonus, Earning, Multiplier, Policies, SpendRule, Wallet
from aggregates.reactions import react
from aggregates.value import Value, field_names
from tests.aggregates.given import CONTEXT, DAY, instant, refusing
from tests.aggregates.membership.lives import Ledger, only, policies

NOW = instant("2026-06-10T12:00", "UTC")
AT_ONCE = Wallet(activates="at_payment")
TWO = (OrderLine("a", 1, 1000, 1000, 750), OrderLine("b", 1, 1000, 1000, 750))  # 20.00 with a voucher of 5.00


def sold(lines: tuple[OrderLine, ...], tax: int, known: Policies, *refunds: RefundOrder) -> tuple[Ledger, list[Any]]:
    """An order's own decisions, and what they bring about in a ledger."""
    ledger, state, events = Ledger(known), order.initial, []
    commands: list[Any] = [PlaceOrder("o", lines, "USD", NOW, member="m", tax=tax), PayOrder("o", NOW), *refunds]
    for command in commands:
        for event in order.decide(command, state, CONTEXT):
            state = order.evolve(state, event)
            events.append(event)
            for reaction in react(event, Context(known)):
                ledger.give(reaction)  # type: ignore[arg-type]
    return ledger, events


def clawed(ledger: Ledger) -> list[int]:
    return [event.points for event in ledger.events if isinstance(event, PointsClawedBack)]


def test_who_earns_and_gives_back_keeps_nothing() -> None:
    """https://github.com/odoo/odoo/pull/257854, https://github.com/frappe/erpnext/issues/32951"""
    ledger, _ = sold(TWO, 0, policies(AT_ONCE), RefundOrder("o", "r", NOW + DAY))
    assert ledger.state.balance(NOW + DAY) == 0


def test_a_refund_deducts_once_and_not_again() -> None:
    """https://github.com/odoo/odoo/pull/212922, https://github.com/odoo/odoo/pull/221928"""
    ledger, _ = sold(TWO, 0, policies(AT_ONCE), *[RefundOrder("o", "r", NOW + DAY)] * 3)
    assert clawed(ledger) == [15]
    ledger.refund("o", "cancelled", 0, NOW + DAY, complete=True)
    assert (sum(clawed(ledger)), ledger.state.balance(NOW + DAY)) == (15, 0)


def test_each_return_takes_its_own_part_back() -> None:
    """ "No partial points deductions" (help.smile.io 2368); 15 earned after a voucher, the first return takes 10, the last 5
    (help.loyaltylion.com 1965601): here by what each line cost, so two alike take 8 and 7."""
    for lines in permutations((1, 2)):
        refunds = [RefundOrder("o", f"r{line}", NOW + DAY, (RefundPart(line),)) for line in lines]
        assert clawed(sold(TWO, 0, policies(AT_ONCE), *refunds)[0]) == [8, 7]


def test_points_and_money_are_whole_numbers_everywhere() -> None:
    """268.28000000000003 points: https://github.com/odoo/odoo/pull/153541; -1e-14: https://github.com/odoo/odoo/pull/111670"""
    odd = policies(AT_ONCE, earning=Earning(spend=(SpendRule(rate=(1, 3), multipliers=(Multiplier("x", (7, 11)),)),)))
    ledger, events = sold(TWO, 1, odd, RefundOrder("o", "r", NOW + DAY, (RefundPart(2),)))
    ledger.give(RedeemPoints("m", "u", 1, NOW + DAY))
    assert not [value for event in (*events, *ledger.events) for value in values(event) if isinstance(value, float)]


def values(told: object) -> Iterator[object]:
    if isinstance(told, Value):
        for name in field_names(type(told)):
            yield from values(getattr(told, name))
    elif isinstance(told, tuple):
        for part in told:
            yield from values(part)
    else:
        yield told


def test_a_discount_of_everything_leaves_nothing_to_pay_and_nothing_to_refund() -> None:
    """0.01 left: https://github.com/odoo/odoo/pull/156897, https://github.com/odoo/odoo/pull/271032"""
    free = tuple(OrderLine(name, 3, 1000, 1000, 0) for name in "abc")
    refunds = [RefundOrder("o", f"{n}", NOW, (RefundPart(n % 3 + 1, 1),)) for n in range(9)]
    ledger, events = sold(free, 0, policies(AT_ONCE), *refunds)
    assert [sum(money for _, _, money in event.parts) for event in events if isinstance(event, OrderRefunded)] == [0] * 9
    assert ledger.state.balance(NOW) == 0


def test_tax_earns_no_points() -> None:
    """https://github.com/OCA/sale-promotion/issues/361"""
    assert only(PointsGranted, sold(TWO, 250, policies(AT_ONCE))[0].events).points == 12


def test_campaigns_count_the_same_in_whatever_order_they_were_entered() -> None:
    """https://github.com/odoo/odoo/pull/63106"""
    campaigns = [Multiplier("a", (3, 2)), Multiplier("b", (2, 1)), Multiplier("c", (7, 5))]
    for stacking, points in (("best", 30), ("multiply", 63)):
        for way in permutations(campaigns):
            rule = SpendRule(multipliers=way, stacking=stacking)  # type: ignore[arg-type]
            ledger, _ = sold(TWO, 0, policies(AT_ONCE, earning=Earning(spend=(rule,))))
            assert ledger.state.available(NOW) == points


def test_what_is_more_than_paid_for_is_worth_nothing_and_never_less() -> None:
    """Negative totals: https://github.com/magento/magento2/issues/35162, https://github.com/craftcms/commerce/issues/651"""
    ledger, events = sold((OrderLine("a", 1, 1000, 1000, -300),), 0, policies(AT_ONCE), RefundOrder("o", "r", NOW))
    assert only(OrderPaid, events).net == 0
    assert ledger.state.balance(NOW) == 0
    with refusing("points_short"):
        ledger.give(RedeemPoints("m", "u", 1, NOW))


def test_a_threshold_looks_at_what_was_paid_after_discounts() -> None:
    """https://github.com/solidusio/solidus/issues/2452"""
    for threshold, points in ((15, 115), (16, 15)):
        rule = SpendRule(bonuses=(Bonus(threshold, 100),))
        ledger, _ = sold(TWO, 0, policies(AT_ONCE, earning=Earning(spend=(rule,))))
        assert ledger.state.available(NOW) == points


def test_units_of_a_line_go_back_to_the_cent_of_what_was_paid_for_all_of_them() -> None:
    """https://github.com/vendurehq/vendure/issues/2995"""
    three = (OrderLine("a", 3, 1000, 1000, 1000),)
    refunds = [RefundOrder("o", f"{n}", NOW, (RefundPart(1, 1),)) for n in range(3)]
    ledger, events = sold(three, 0, policies(AT_ONCE), *refunds)
    assert [sum(money for _, _, money in event.parts) for event in events if isinstance(event, OrderRefunded)] == [
        333,
        333,
        334,
    ]
    assert sum(clawed(ledger)) == 10
