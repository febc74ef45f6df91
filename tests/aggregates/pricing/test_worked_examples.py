"""The worked examples of the design, to the cent."""

from __future__ import annotations

import pytest

from aggregates.pricing.pipeline import price
from aggregates.pricing.request import Entered, PriceRequest, PriceRules
from aggregates.pricing.terms import Condition, Effect, Rung
from aggregates.pricing.trace import NotUsed, Trace
from tests.aggregates.pricing.shops import (
    CODES,
    VAT_20,
    campaign,
    dinar,
    goods,
    order_of_2_4,
    yen,
)


def paid(trace: Trace) -> list[int]:
    return [share.paid for share in trace.shares]


def taxes(trace: Trace) -> list[int]:
    return [share.tax for share in trace.shares]


def points(trace: Trace) -> list[int]:
    return [share.points for share in trace.shares]


def parts(trace: Trace, source: str) -> list[int]:
    return [part for step in trace.steps if step.source.startswith(source) for _, part in step.parts]


def test_the_order_of_a_gold_member_costs_290_80() -> None:
    trace = price(order_of_2_4()).trace
    assert trace.payable == 29080
    assert paid(trace) == [20137, 6315, 2628]
    assert trace.tax == 4847
    assert taxes(trace) == [3356, 1053, 438]
    assert points(trace) == [1039, 326, 135]
    assert trace.net * 3 // 200 == 363  # 1 point per 1.00 net, a half more for gold


def test_of_sale_and_member_price_the_lower_holds() -> None:
    trace = price(order_of_2_4()).trace
    assert parts(trace, "gold") == [1490, 175]
    assert parts(trace, "sale") == [1000]


def test_the_order_discount_is_split_to_the_cent() -> None:
    assert parts(price(order_of_2_4()).trace, "full300") == [2858, 806, 336]


def test_two_codes_beat_the_one_that_is_worth_most_alone() -> None:
    trace = price(order_of_2_4()).trace
    assert sum(parts(trace, "K1")) + sum(parts(trace, "K2")) == 5045
    assert trace.proven
    assert trace.refused == (NotUsed("beaten_by", "K3", "K3", 770, ("K1", "K2")),)


@pytest.mark.parametrize(("code", "off"), [("K1", 2545), ("K2", 2500), ("K3", 4275)])
def test_each_code_alone_is_worth_what_the_example_says(code: str, off: int) -> None:
    trace = price(order_of_2_4(codes=(Entered(code, code),), points=None)).trace
    assert trace.payable == 35625 - off


def test_a_pinned_code_is_used_although_another_set_is_better() -> None:
    trace = price(order_of_2_4(pins=("K3",), points=None)).trace
    assert trace.payable == 35625 - 4275
    assert [(each.code, each.reason, each.by) for each in trace.refused] == [
        ("K1", "conflicts_with", ("K3",)),
        ("K2", "conflicts_with", ("K3",)),
    ]


def test_tax_is_rounded_once_a_rate_group() -> None:
    items = tuple(goods(name, 1, 1999, rate=VAT_20) for name in "ABC")
    assert price(PriceRequest(items)).trace.tax == 1000
    assert price(PriceRequest(items, rules=PriceRules(basis="line"))).trace.tax == 999


def test_yen_have_no_decimals() -> None:
    trace = price(yen()).trace
    assert (trace.payable, paid(trace)) == (6441, [4521, 1502, 418])
    assert (trace.tax, taxes(trace)) == (586, [411, 137, 38])
    assert (parts(trace, "off"), parts(trace, "ten")) == ([702, 233, 65], [526, 175, 48])
    assert points(trace) == [211, 70, 19]


def test_dinars_have_three_decimals() -> None:
    trace = price(dinar()).trace
    assert (trace.payable, trace.tax) == (26566, 1265)
    assert (parts(trace, "off"), parts(trace, "ten")) == ([1832, 593, 75], [2286, 740, 93])
    assert points(trace) == [1099, 356, 45]


def test_the_order_of_entry_changes_nothing() -> None:
    request = order_of_2_4()
    turned = order_of_2_4(items=request.items[::-1], codes=CODES[::-1], campaigns=request.campaigns[::-1])
    assert price(turned).trace == price(request).trace


def test_a_hint_says_what_a_little_more_would_bring() -> None:
    full = campaign("full", Effect(ladder=(Rung(30000, off=4000),)))
    trace = price(PriceRequest((goods("A", 1, 29680),), campaigns=(full,))).trace
    assert [(hint.campaign, hint.spend, hint.gain) for hint in trace.hints] == [("full", 320, 4000)]
    assert trace.refused == (NotUsed("below_threshold", "full", None, 320),)


def test_a_far_threshold_gives_no_hint() -> None:
    full = campaign("full", Effect(fixed=4000), when=Condition(amount=30000))
    assert price(PriceRequest((goods("A", 1, 20000),), campaigns=(full,))).trace.hints == ()
