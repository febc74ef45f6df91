"""Refunds and cancellations in every order and every split end at the same books: of the order, of points earned and spent.

The reference is slow and obvious: the money of a line is counted unit by unit, and the points are those of one refund of all
the units together.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any, NamedTuple

import pytest

from aggregates.decider import Context
from aggregates.membership.commands import GrantPoints, RedeemPoints
from aggregates.order.decider import CancelOrder, PayOrder, order
from aggregates.order.events import Order, OrderLine
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.programme import Earning, Policies, SpendRule, Wallet
from aggregates.reactions import react
from tests.aggregates.given import instant
from tests.aggregates.membership.lives import Ledger, policies

NOW = instant("2026-06-10T12:00", "UTC")
CURRENCIES = {"JPY": 0, "USD": 2, "KWD": 3, "CLF": 4}


class Books(NamedTuple):
    """What is left: money given back of each line, what the order is worth, and points to spend, owed and given back."""

    given_back: tuple[int, ...]
    net: int
    balance: int
    debt: int


class Case(NamedTuple):
    lines: tuple[OrderLine, ...]
    tax: int
    terms: Policies
    spent: int
    back: tuple[int, ...]
    """The units of each line that come back."""


def a_case(chance: Random) -> Case:
    currency = chance.choice(list(CURRENCIES))
    one = 10 ** CURRENCIES[currency]
    lines = tuple(a_line(f"p-{number}", one, chance) for number in range(chance.randint(1, 4)))
    paid = sum(line.paid for line in lines)
    rate = (chance.randint(1, 5), chance.randint(1, 3))
    terms = policies(Wallet(activates="at_payment"), earning=Earning(spend=(SpendRule(rate=rate),)), currency=currency)
    back = tuple(chance.choice((0, line.quantity, chance.randint(0, line.quantity))) for line in lines)
    return Case(lines, chance.randint(0, paid // 5), terms, chance.choice((0, 100, 300)), back)


def a_line(product: str, one: int, chance: Random) -> OrderLine:
    gross = chance.randint(0, 300 * one)
    total = chance.randint(gross // 2, gross)
    return OrderLine(product, chance.randint(1, 5), gross, total, chance.randint(total // 2, total))


def splits(back: tuple[int, ...], chance: Random) -> list[tuple[RefundPart, ...]]:
    """Return these units in some order, in refunds of any size."""
    units = [line for line, number in enumerate(back, 1) for _ in range(number)]
    chance.shuffle(units)
    found = []
    while units:
        size = chance.randint(1, len(units))
        taken, units = Counter(units[:size]), units[size:]
        found.append(tuple(RefundPart(line, number) for line, number in taken.items()))
    return found


def books(case: Case, later: list[Any]) -> tuple[Books, Order]:
    """Return how an order and its member's points stand after these commands."""
    ledger, state = Ledger(case.terms), order.initial
    unit = case.terms.versions[0].terms.unit
    ledger.give(GrantPoints("m", "before", 1_000 * unit, NOW - 1))
    commands = [PlaceOrder("o", case.lines, "USD", NOW, member="m", tax=case.tax), PayOrder("o", NOW)]
    for number, command in enumerate([*commands, *later]):
        if number == 1 and case.spent:
            ledger.give(RedeemPoints("m", "u", case.spent, NOW, order="o"))
        for event in order.decide(command, state, Context(case.terms)):
            state = order.evolve(state, event)
            for reaction in react(event, Context(case.terms)):
                ledger.give(reaction)  # type: ignore[arg-type]
    points = ledger.state
    return Books(state.given_back, state.net, points.balance(NOW), points.debt(NOW)), state


def counted(case: Case) -> tuple[int, ...]:
    """Return the money of the units that came back: each line's last unit brings what the floors of the others left."""
    return tuple(line.paid * back // line.quantity for line, back in zip(case.lines, case.back, strict=True))


def hunt(number: int, seed: int) -> Counter[str]:
    """Try so many orders; return how many of each kind were tried."""
    chance, tried = Random(seed), Counter[str]()
    for _ in range(number):
        case = a_case(chance)
        refunds = [RefundOrder("o", f"r-{n}", NOW, parts) for n, parts in enumerate(splits(case.back, chance))]
        found, state = books(case, refunds)
        together = tuple(RefundPart(line, units) for line, units in enumerate(case.back, 1) if units)
        at_once, _ = books(case, [RefundOrder("o", "all", NOW, together)] if together else [])
        assert found == at_once, case
        assert found.given_back == counted(case), case
        ends_the_same(case, refunds, state)
        tried[case.terms.versions[0].terms.currency] += 1
    return tried


def ends_the_same(case: Case, refunds: list[RefundOrder], state: Order) -> None:
    """Whatever came back before: to refund the rest and to cancel leave the same points, those of an order never made."""
    if state.status == "refunded":
        return
    by_refund, ended = books(case, [*refunds, RefundOrder("o", "rest", NOW)])
    by_cancelling, _ = books(case, [*refunds, CancelOrder("o", NOW, recorded=True)])
    assert ended.status == "refunded", case
    assert sum(by_refund.given_back) == sum(line.paid for line in case.lines), case
    untouched = Ledger(case.terms)
    untouched.give(GrantPoints("m", "before", 1_000 * case.terms.versions[0].terms.unit, NOW - 1))
    assert (by_refund.balance, by_refund.debt) == (untouched.state.balance(NOW), 0), case
    assert by_cancelling[2:] == by_refund[2:], case


def test_a_sample_of_refunds_ends_at_the_same_books() -> None:
    assert set(hunt(150, seed=1)) == set(CURRENCIES)


@pytest.mark.slow
def test_ten_thousand_orders_end_at_the_same_books() -> None:
    assert hunt(10_000, seed=2).total() == 10_000
