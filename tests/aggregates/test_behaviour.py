from __future__ import annotations

from math import inf, nan

import pytest

from aggregates.behaviour import (
    LONGEST_QUERY,
    MOST_SHOWN,
    Clicked,
    Dismissed,
    Event,
    Favourited,
    Impressed,
    OfProduct,
    Searched,
    Shared,
    Unfavourited,
    Viewed,
    behaviour,
)
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, refusing

OF_PRODUCT: list[OfProduct] = [
    kind(product="tea", member="m", session="s", at=1)
    for kind in (Viewed, Clicked, Favourited, Unfavourited, Dismissed, Shared)
]
SEARCHED = Searched(query="green tea", member="m", session="s", shown=("tea", "milk"), at=1)
IMPRESSED = Impressed(
    slot="home", products=("tea", "milk"), member="m", session="s", propensities=(0.5, 0.25), strategy="regulars", at=1
)
EVERY: list[Event] = [*OF_PRODUCT, SEARCHED, IMPRESSED]

of_product = pytest.mark.parametrize("fact", OF_PRODUCT, ids=lambda fact: type(fact).__name__)
every = pytest.mark.parametrize("fact", EVERY, ids=lambda fact: type(fact).__name__)


def refused(fact: Event, code: str) -> None:
    with refusing(code):
        behaviour.decide(fact, None, CONTEXT)


@every
def test_an_event_is_recorded_unchanged(fact: Event) -> None:
    for told in (fact, replace(fact, member=None), replace(fact, session=None)):
        assert behaviour.decide(told, None, CONTEXT) == [told]


@every
def test_the_same_behaviour_may_happen_again(fact: Event) -> None:
    assert behaviour.rebuild([fact]) is None
    assert behaviour.decide(fact, behaviour.rebuild([fact]), CONTEXT) == [fact]


@every
def test_behaviour_without_a_shopper_is_refused(fact: Event) -> None:
    refused(replace(fact, member=None, session=None), "shopper_missing")


@every
def test_a_shopper_with_an_empty_id_is_refused(fact: Event) -> None:
    refused(replace(fact, member=""), "member_id_invalid")
    refused(replace(fact, member=None, session="a\nb"), "session_id_invalid")


@of_product
def test_slot_and_place_are_recorded(fact: OfProduct) -> None:
    for told in (replace(fact, slot="home", place=1), replace(fact, slot="home"), replace(fact, place=7)):
        assert behaviour.decide(told, None, CONTEXT) == [told]


@of_product
def test_an_invalid_place_is_refused(fact: OfProduct) -> None:
    refused(replace(fact, product=""), "product_id_invalid")
    refused(replace(fact, slot=""), "slot_id_invalid")
    for place in (0, -1, True, 1.5):
        refused(replace(fact, place=place), "place_invalid")


@pytest.mark.parametrize("length", [1, LONGEST_QUERY])
def test_a_search_has_a_text_of_bounded_length(length: int) -> None:
    told = replace(SEARCHED, query="\n" * length, shown=())
    assert behaviour.decide(told, None, CONTEXT) == [told]


@pytest.mark.parametrize("length", [0, LONGEST_QUERY + 1])
def test_an_empty_or_too_long_search_is_refused(length: int) -> None:
    refused(replace(SEARCHED, query="x" * length), "query_invalid")


@pytest.mark.parametrize("count", [0, MOST_SHOWN])
def test_a_slot_and_a_search_may_show_many_products_or_none(count: int) -> None:
    products = tuple(f"p-{n}" for n in range(count))
    assert behaviour.decide(replace(SEARCHED, shown=products), None, CONTEXT)
    assert behaviour.decide(replace(IMPRESSED, products=products, propensities=()), None, CONTEXT)


def test_too_many_products_shown_are_refused() -> None:
    products = ("tea",) * (MOST_SHOWN + 1)
    refused(replace(SEARCHED, shown=products), "too_many_products")
    refused(replace(IMPRESSED, products=products, propensities=()), "too_many_products")


def test_each_product_shown_has_an_id() -> None:
    refused(replace(SEARCHED, shown=("tea", "")), "product_id_invalid")
    refused(replace(IMPRESSED, products=("", "tea")), "product_id_invalid")
    refused(replace(IMPRESSED, slot=""), "slot_id_invalid")


@pytest.mark.parametrize("propensities", [(), (0.0, 1.0), (1, 0)])
def test_propensities_are_given_for_all_products_or_none(propensities: tuple[float, ...]) -> None:
    told = replace(IMPRESSED, propensities=propensities, strategy=None)
    assert behaviour.decide(told, None, CONTEXT) == [told]


@pytest.mark.parametrize("propensities", [(0.5,), (0.5, 0.5, 0.5), (0.5, -0.1), (1.1, 0.5), (nan, 0.5), (0.5, inf)])
def test_invalid_propensities_are_refused(propensities: tuple[float, ...]) -> None:
    refused(replace(IMPRESSED, propensities=propensities), "propensities_invalid")
