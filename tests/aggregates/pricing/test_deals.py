"""Quantity deals and bundles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.pricing.deals import solve
from aggregates.pricing.pipeline import price
from aggregates.pricing.request import LineItem, PriceRequest, Running
from aggregates.pricing.terms import Bundle, BundlePart, Deal, Effect
from aggregates.programme.earning import Selection
from tests.aggregates.pricing.shops import campaign, goods
from tests.aggregates.pricing.test_best_set import searched
from tests.examples import many

PRICES = st.lists(st.integers(1, 20), min_size=1, max_size=6)


def deal(name: str, *terms: Any, on: Selection = Selection(), only: Selection = Selection(), **more: Any) -> Running:  # noqa: B008
    return campaign(name, Effect(deal=Deal(*terms, **more), on=on), stage="line", only=only)


def taken(items: tuple[LineItem, ...], *deals: Running) -> list[int]:
    candidates, cart = searched(PriceRequest(items, campaigns=deals))
    return [each.wanted for each in solve(candidates, cart.items, cart.running)[0]]


def units(prices: list[int]) -> tuple[LineItem, ...]:
    return tuple(goods(f"p{number}", 1, price) for number, price in enumerate(prices))


def partitions(left: list[int]) -> Iterator[list[list[int]]]:
    if not left:
        yield []
        return
    for rest in partitions(left[1:]):
        yield [[left[0]], *rest]
        for place, group in enumerate(rest):
            yield [*rest[:place], [left[0], *group], *rest[place + 1 :]]


def best_of_groups(prices: list[int], size: int, get: int) -> int:
    """Return what a shopper saves who splits the units into groups, one after the other, in the best way."""
    worth = 0
    for groups in partitions(prices):
        full = [sorted(group) for group in groups if len(group) == size]
        worth = max(worth, sum(sum(group[:get]) for group in full))
    return worth


@settings(max_examples=many(60))
@given(PRICES, st.integers(1, 2))
def test_one_deal_is_as_good_as_the_best_way_to_split_the_basket(prices: list[int], buy: int) -> None:
    assert taken(units(prices), deal("d", buy, 1)) == [best_of_groups(prices, buy + 1, 1)]


def test_the_cheapest_of_each_group_and_the_cheapest_of_all_differ() -> None:
    items = units([10, 8, 6, 4])
    assert taken(items, deal("d", 1, 1)) == [8 + 4]
    assert taken(items, deal("d", 1, 1, cheapest="of_all")) == [6 + 4]


def test_a_unit_serves_one_deal() -> None:
    items = (goods("a", 2, 100, "tea"), goods("b", 1, 90, "cups"))
    tea = deal("tea", 1, 1, only=Selection(categories=("tea",)))
    both = deal("both", 2, 1)
    assert taken(items, tea, both) in ([0, 100], [100, 0])
    assert price(PriceRequest(items, campaigns=(tea, both))).trace.payable == 190


def test_two_deals_share_the_units_so_that_they_bring_most() -> None:
    items = (goods("a", 2, 100, "tea"), goods("b", 2, 60, "cups"))
    tea = deal("tea", 1, 1, only=Selection(categories=("tea",)))
    every = deal("all", 1, 1)
    assert sum(taken(items, tea, every)) == 160


def test_a_deal_may_be_used_a_number_of_times() -> None:
    assert taken(units([9, 9, 9, 9]), deal("d", 1, 1, times=1)) == [9]


def test_units_bought_of_one_kind_reduce_the_cheapest_of_another() -> None:
    items = (goods("a", 2, 500, "shoes"), goods("b", 1, 90, "cups"), goods("c", 2, 70, "cups"))
    shoes = deal("d", 1, 1, only=Selection(categories=("shoes",)), on=Selection(categories=("cups",)))
    assert taken(items, shoes) == [140]


def test_half_a_unit_off_is_rounded_half_up() -> None:
    assert taken(units([15, 15]), deal("d", 1, 1, (1, 2))) == [8]


def test_a_bundle_costs_its_price_and_is_split_over_its_units() -> None:
    parts = (BundlePart(Selection(categories=("tea",)), 2), BundlePart(Selection(categories=("cups",))))
    bundle = campaign("set", Effect(bundle=Bundle(2000, parts)), stage="line")
    items = (goods("a", 3, 900, "tea"), goods("b", 1, 700, "cups"))
    trace = price(PriceRequest(items, campaigns=(bundle,))).trace
    assert trace.payable == 2000 + 900
    assert trace.steps[0].parts == (("a", 360), ("b", 140))


def test_a_bundle_that_would_cost_more_is_not_made() -> None:
    bundle = campaign("set", Effect(bundle=Bundle(2000, (BundlePart(Selection(categories=("tea",)), 2),))), stage="line")
    assert price(PriceRequest((goods("a", 2, 900, "tea"),), campaigns=(bundle,))).trace.payable == 1800


def test_many_deals_on_many_units_end_within_their_box() -> None:
    items = tuple(goods(f"p{number}", 9, 100 + number) for number in range(6))
    deals = [deal(f"d{number}", number + 2, 3) for number in range(6)]
    candidates, cart = searched(PriceRequest(items, campaigns=tuple(deals)))
    assert solve(candidates, cart.items, cart.running)[1] is False
