from __future__ import annotations

from math import inf, nan

import pytest

from aggregates.product import (
    Command,
    ListProduct,
    ProductListed,
    ProductRepriced,
    ProductRetired,
    RepriceProduct,
    RetireProduct,
    product,
)
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, refusing

LIST = ListProduct("tea", 1, "Tea", "GROCERY", "HOT DRINKS", "Lü", price=599, stock=40, attributes={"organic": "yes"})
LISTED = ProductListed(
    product="tea",
    name="Tea",
    department="GROCERY",
    category="HOT DRINKS",
    brand="Lü",
    price=599,
    stock=40,
    attributes={"organic": "yes"},
    at=1,
)
REPRICED = ProductRepriced(product="tea", price=499, previous=599, at=2)
RETIRED = ProductRetired("tea", at=3)
UNKNOWN = product.rebuild([])
KNOWN = product.rebuild([LISTED])


def test_listing_records_the_values() -> None:
    assert product.decide(LIST, UNKNOWN, CONTEXT) == [LISTED]


def test_price_and_stock_may_be_unknown() -> None:
    listed = ProductListed(
        product="tea", name=None, department=None, category=None, brand=None, price=None, stock=None, attributes={}, at=1
    )
    assert product.decide(ListProduct("tea", 1), UNKNOWN, CONTEXT) == [listed]


def test_listing_twice_changes_nothing() -> None:
    assert product.decide(replace(LIST, at=9), KNOWN, CONTEXT) == []


def test_listing_other_values_replaces_the_first() -> None:
    renamed = replace(LIST, name="Green tea", at=9)
    assert product.decide(renamed, KNOWN, CONTEXT) == [replace(LISTED, name="Green tea", at=9)]


def test_listing_at_the_first_price_undoes_a_new_price() -> None:
    given = product.rebuild([LISTED, REPRICED])
    assert product.decide(LIST, given, CONTEXT) == [LISTED]


def test_listing_at_the_price_it_has_now_changes_nothing() -> None:
    given = product.rebuild([LISTED, REPRICED])
    assert product.decide(replace(LIST, price=499), given, CONTEXT) == []


SHOWN = replace(LIST, description="Leaves, dried.", image="tea.jpg", embedding=(0.25, -1.5))


def test_description_image_and_embedding_are_recorded() -> None:
    (listed,) = product.decide(SHOWN, UNKNOWN, CONTEXT)
    assert listed == replace(LISTED, description="Leaves, dried.", image="tea.jpg", embedding=(0.25, -1.5))
    assert product.decide(replace(SHOWN, at=9), product.rebuild([listed]), CONTEXT) == []


@pytest.mark.parametrize("field", ["description", "image", "embedding"])
def test_a_changed_or_missing_value_lists_the_product_anew(field: str) -> None:
    known = product.rebuild(product.decide(SHOWN, UNKNOWN, CONTEXT))
    for value in ((1.0,), ()) if field == "embedding" else ("other", None):
        (listed,) = product.decide(replace(SHOWN, at=9, **{field: value}), known, CONTEXT)
        assert getattr(listed, field) == value


def test_a_retired_product_can_be_listed_again() -> None:
    assert product.decide(LIST, product.rebuild([LISTED, RETIRED]), CONTEXT) == [LISTED]
    assert not product.rebuild([LISTED, RETIRED, LISTED]).retired


def test_a_new_price_records_the_previous_one() -> None:
    assert product.decide(RepriceProduct("tea", 499, at=2), KNOWN, CONTEXT) == [REPRICED]
    later = product.decide(RepriceProduct("tea", 399, at=3), product.rebuild([LISTED, REPRICED]), CONTEXT)
    assert later == [ProductRepriced(product="tea", price=399, previous=499, at=3)]


def test_repricing_twice_changes_nothing() -> None:
    assert product.decide(RepriceProduct("tea", 499, at=9), product.rebuild([LISTED, REPRICED]), CONTEXT) == []


def test_retiring_takes_it_off_the_list() -> None:
    assert product.decide(RetireProduct("tea", at=3), KNOWN, CONTEXT) == [RETIRED]


def test_retiring_twice_changes_nothing() -> None:
    assert product.decide(RetireProduct("tea", at=9), product.rebuild([LISTED, RETIRED]), CONTEXT) == []


@pytest.mark.parametrize("command", [RepriceProduct("tea", 1, at=9), RetireProduct("tea", at=9)])
def test_an_unknown_product_is_refused(command: Command) -> None:
    with refusing("product_unknown"):
        product.decide(command, UNKNOWN, CONTEXT)


def test_a_retired_product_has_no_new_price() -> None:
    with refusing("product_retired"):
        product.decide(RepriceProduct("tea", 1, at=9), product.rebuild([LISTED, RETIRED]), CONTEXT)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (ListProduct("", 1), "product_id_invalid"),
        (ListProduct("tea", 1, price=-1), "price_invalid"),
        (ListProduct("tea", 1, stock=-1), "stock_invalid"),
        (ListProduct("tea", 1, embedding=(0.5, nan)), "embedding_invalid"),
        (ListProduct("tea", 1, embedding=(inf,)), "embedding_invalid"),
        (RepriceProduct("tea", -1, at=1), "price_invalid"),
    ],
)
def test_invalid_values_are_refused(command: Command, code: str) -> None:
    with refusing(code):
        product.decide(command, KNOWN, CONTEXT)
