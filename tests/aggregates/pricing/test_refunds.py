"""Refunds: the tables of the design, and that any history of refunds sums to what was paid."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.decider import Refusal
from aggregates.pricing.pipeline import price
from aggregates.pricing.refund import Refundable, RefundedLine, RefundWish, after_refund, exchange, refund, refundable
from aggregates.pricing.request import PriceRequest
from aggregates.pricing.tenders import Tender, cash_rounding, given_back, given_back_in_parts, in_order
from aggregates.pricing.terms import Condition, Effect, Gift, Rung
from tests.aggregates.pricing.carts import random_request
from tests.aggregates.pricing.shops import campaign, dinar, goods, order_of_2_4, yen

SEEDS = st.integers(0, 10**9)
TENDERS = (Tender("1", "card", 19080), Tender("2", "gift_card", 10000))


def earned(order: Refundable) -> int:
    return order.net_left * 3 // 200


def units(**lines: int) -> RefundWish:
    return RefundWish(units=tuple(lines.items()))


def total(back: tuple[RefundedLine, ...]) -> int:
    return sum(each.amount for each in back)


def test_the_order_of_2_4_comes_back_as_the_table_says() -> None:
    order = refundable(price(order_of_2_4()).trace)
    wishes = [units(A=1), RefundWish(goodwill=500), units(B=1), units(A=1, C=1)]
    rows = []
    for wish in wishes:
        before, tenders_before = earned(order), given_back(TENDERS, order.given)
        back, order = refund(order, wish)
        to_tenders = [now - then for now, then in zip(given_back(TENDERS, order.given), tenders_before, strict=True)]
        tax, points = sum(each.tax for each in back), sum(each.points for each in back)
        rows.append((total(back), tax, to_tenders, points, before - earned(order)))
    assert rows == [
        (10068, 1678, [10068, 0], 519, 126),
        (500, 82, [500, 0], 0, 6),
        (6149, 1026, [6149, 0], 326, 77),
        (12363, 2061, [2363, 10000], 655, 154),
    ]
    assert (order.left, order.given) == (0, 29080)


def test_goodwill_without_a_line_is_split_over_what_is_left() -> None:
    _, order = refund(refundable(price(order_of_2_4()).trace), units(A=1))
    back, _ = refund(order, RefundWish(goodwill=500))
    assert [(each.line, each.amount, each.tax) for each in back] == [("A", 265, 44), ("B", 166, 27), ("C", 69, 11)]


def test_both_units_of_a_pair_sum_to_their_line() -> None:
    order = refundable(price(order_of_2_4()).trace)
    first, order = refund(order, units(A=1))
    second, _ = refund(order, units(A=1))
    assert [(back[0].amount, back[0].points) for back in (first, second)] == [(10068, 519), (10069, 520)]


def test_yen_and_dinars_come_back_unit_by_unit() -> None:
    for request, amounts in ((yen(), [2260, 2261]), (dinar(), [9736, 9737])):
        order = refundable(price(request).trace)
        for amount in amounts:
            back, order = refund(order, units(A=1))
            assert total(back) == amount


def test_money_for_damage_restarts_the_line() -> None:
    order = refundable(price(PriceRequest((goods("A", 2, 1000),))).trace)
    back, order = refund(order, RefundWish(money=(("A", 1000),)))
    assert total(back) == 1000
    for _ in range(2):
        back, order = refund(order, units(A=1))
        assert total(back) == 500


def test_tax_goes_back_by_line_and_not_by_order() -> None:
    items = (goods("A", 1, 11900, rate=(19, 100)), goods("B", 1, 10700, rate=(7, 100)))
    _, order = refund(refundable(price(PriceRequest(items)).trace), units(B=1))
    assert order.net_left == 10000


def two_lines(rule: str, rung: Rung) -> Refundable:
    promotion = campaign("full300", Effect(ladder=(rung,)), refund=rule)
    return refundable(price(PriceRequest((goods("A", 1, 20000), goods("B", 1, 15000)), campaigns=(promotion,))).trace)


def test_proportional_gives_the_share_of_the_line_and_recompute_the_difference() -> None:
    assert total(refund(two_lines("proportional", Rung(30000, off=5000)), units(B=1))[0]) == 12857
    assert total(refund(two_lines("recompute", Rung(30000, off=5000)), units(B=1))[0]) == 10000


def test_recompute_never_asks_for_money_and_sums_to_what_was_paid() -> None:
    order = two_lines("recompute", Rung(30000, off=20000))
    back, order = refund(order, units(B=1))
    assert total(back) == 0
    back, order = refund(order, units(A=1))
    assert total(back) == 15000


def with_gift(rule: str) -> Refundable:
    gift = campaign("gift", Effect(gift=Gift("cup", 2000)), when=Condition(amount=30000), gift=rule)
    return refundable(price(PriceRequest((goods("A", 1, 20000), goods("B", 1, 15000)), campaigns=(gift,))).trace)


def test_a_gift_is_kept_when_its_threshold_is_lost() -> None:
    assert total(refund(with_gift("keep"), units(B=1))[0]) == 15000


def test_a_gift_is_charged_where_the_campaign_says_so_unless_it_comes_back_too() -> None:
    back, order = refund(with_gift("charge"), units(B=1))
    assert total(back) == 13000
    assert total(refund(order, RefundWish(units=(("gift:gift", 1),)))[0]) == 2000
    assert total(refund(with_gift("charge"), RefundWish(units=(("B", 1), ("gift:gift", 1))))[0]) == 15000


def test_a_restocking_fee_is_kept_of_the_refund() -> None:
    order = refundable(price(PriceRequest((goods("A", 2, 1200, rate=(1, 5)),))).trace)
    back, order = refund(order, RefundWish(units=(("A", 1),), fee=300))
    assert [(each.amount, each.tax, each.fee) for each in back] == [(900, 150, 300)]
    assert total(refund(order, units(A=1))[0]) == 1200
    with pytest.raises(Refusal, match="fee"):
        refund(order, RefundWish(units=(("A", 1),), fee=1201))


def test_shipping_alone_can_be_refunded() -> None:
    items = (goods("A", 1, 1000), goods("ship", 1, 490, kind="shipping"))
    assert total(refund(refundable(price(PriceRequest(items)).trace), units(ship=1))[0]) == 490


def test_free_shipping_once_given_is_not_billed_later() -> None:
    items = (goods("A", 1, 1000), goods("B", 1, 4000), goods("ship", 1, 490, kind="shipping"))
    free = campaign("free", Effect(free_shipping=True), stage="shipping", when=Condition(amount=5000), refund="recompute")
    order = refundable(price(PriceRequest(items, campaigns=(free,))).trace)
    assert total(refund(order, units(B=1))[0]) == 4000


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (units(A=3), "nothing_left"),
        (units(X=1), "line_unknown"),
        (RefundWish(money=(("A", 20138),)), "refund_too_high"),
        (RefundWish(money=(("A", 0),)), "total_invalid"),
        (RefundWish(goodwill=29081), "refund_too_high"),
        (RefundWish(units=(("A", 1), ("A", 1))), "line_twice"),
        (RefundWish(), "nothing_left"),
    ],
)
def test_what_cannot_be_refunded_is_refused(wish: RefundWish, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        refund(refundable(price(order_of_2_4()).trace), wish)
    assert refused.value.code == code


def test_an_exchange_pays_or_gives_back_the_difference() -> None:
    assert (exchange(10068, 12990), exchange(10068, 7990)) == ((2922, 0), (0, 2078))


def random_wish(order: Refundable, chance: random.Random) -> RefundWish:
    kept = {name: number for name, number in order.kept.items() if number}
    match chance.randint(0, 3 if order.left else 0):
        case 3:
            return RefundWish(goodwill=chance.randint(1, order.left))
        case 2:
            name = chance.choice([name for name, line in order.lines.items() if line.amount_left > 0])
            return RefundWish(money=((name, chance.randint(1, order.lines[name].amount_left)),))
        case _ if kept:
            some = chance.sample(sorted(kept), chance.randint(1, len(kept)))
            return RefundWish(units=tuple((name, chance.randint(1, kept[name])) for name in some))
        case _:
            return RefundWish(goodwill=order.left)


@given(SEEDS)
def test_any_history_of_refunds_sums_to_what_was_paid(seed: int) -> None:
    chance = random.Random(seed)
    priced = price(random_request(seed))
    order = refundable(priced.trace)
    tenders = in_order([Tender("1", "gift_card", priced.trace.payable // 3), Tender("2", "card", 0)])
    tenders = tuple(
        Tender(each.id, each.kind, each.amount or priced.trace.payable - priced.trace.payable // 3) for each in tenders
    )
    money = tax = points = 0
    had_back = [0, 0]
    while any(order.kept.values()):
        before = order
        back, order = refund(order, random_wish(order, chance))
        assert after_refund(before, back) == order
        money, tax, points = money + total(back), tax + sum(b.tax for b in back), points + sum(b.points for b in back)
        assert total(back) >= 0
        assert all(line.amount_left >= 0 and line.tax_left >= 0 and line.points_left >= 0 for line in order.lines.values())
        now = given_back(tenders, money)
        assert all(then <= more <= tender.amount for then, more, tender in zip(had_back, now, tenders, strict=True))
        had_back = list(now)
    assert money == order.given == priced.trace.payable - order.left
    if order.left:  # money without units was given back, so that a rest without units stays
        back, order = refund(order, RefundWish(goodwill=order.left))
        money, tax = money + total(back), tax + sum(each.tax for each in back)
    assert (money, tax, points) == (priced.trace.payable, priced.trace.tax, priced.points)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=5), st.lists(st.integers(0, 900), max_size=20))
def test_tenders_in_proportion_never_give_money_back_to_the_shop(amounts: list[int], refunds: list[int]) -> None:
    tenders = [Tender(str(i), "card", amount) for i, amount in enumerate(amounts)]
    before, given_so_far = tuple(0 for _ in tenders), 0
    for amount in [*refunds, sum(amounts)]:
        given_so_far = min(sum(amounts), given_so_far + amount)
        now = given_back_in_parts(tenders, given_so_far)
        assert sum(now) == given_so_far
        assert all(then <= more <= tender.amount for then, more, tender in zip(before, now, tenders, strict=True))
        before = now


def test_cash_is_rounded_by_a_tender() -> None:
    assert [cash_rounding(amount, 5) for amount in (1002, 1003, 1000)] == [2, -2, 0]
