from __future__ import annotations

import json
from typing import Any

from aggregates.behaviour import Clicked, Dismissed, Favourited, Impressed, Shared, Unfavourited, Viewed
from aggregates.cart_events import (
    CartItemAdded,
)
from aggregates.order.events import OrderCancelled, OrderLine, OrderPaid, OrderRefunded
from aggregates.product import ProductListed, ProductRepriced, ProductRetired
from aggregates.review import ProductReviewed
from aggregates.value import replace
from projections.product import product
from tests.projections.folding import tallied

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
    description="Leaves, dried.",
    image="tea.jpg",
    embedding=(0.5,),
)
TEA = OrderLine("tea", 3, 1500, 1500, 1500)
MILK = OrderLine("milk", 1, 300, 300, 300)
ADJUSTMENT = OrderLine("tea", 0, 0, 0, -100)


def fields(*events: object) -> dict[str, object]:
    return dict(tallied(product, *events).fields["product:tea"])


def test_a_listed_product_shows_its_description() -> None:
    shown = fields(LISTED)
    assert json.loads(str(shown.pop("attributes"))) == {"organic": "yes"}
    assert shown == {
        "name": "Tea",
        "description": "Leaves, dried.",
        "image": "tea.jpg",
        "department": "GROCERY",
        "category": "HOT DRINKS",
        "brand": "Lü",
        "price": 599,
        "stock": 40,
        "status": "listed",
    }


def test_a_field_that_is_no_longer_listed_is_removed() -> None:
    bare = ProductListed(
        product="tea", name=None, department=None, category=None, brand=None, price=None, stock=None, attributes={}, at=2
    )
    said = ("name", "description", "image", "department", "category", "brand", "price", "stock", "attributes")
    assert fields(LISTED, bare) == {**dict.fromkeys(said), "status": "listed"}


def test_a_new_price_is_shown() -> None:
    shown = fields(LISTED, ProductRepriced(product="tea", price=499, previous=599, at=2))
    assert (shown["price"], shown["name"]) == (499, "Tea")


def test_a_retired_product_stays_readable_until_it_is_listed_again() -> None:
    retired = ProductRetired("tea", at=2)
    assert (fields(LISTED, retired)["status"], fields(LISTED, retired)["name"]) == ("retired", "Tea")
    assert fields(LISTED, retired, LISTED)["status"] == "listed"


def test_paid_units_are_counted_of_products_not_of_adjustments() -> None:
    paid = OrderPaid(order="o", member="m", session=None, currency="USD", lines=(TEA, MILK, ADJUSTMENT), net=1700, at=2)
    assert tallied(product, paid, replace(paid, order="p", lines=(MILK,))).counts == {
        "product:tea": {"orders": 1, "units": 3},
        "product:milk": {"orders": 2, "units": 2},
    }


def test_an_order_with_a_product_on_several_lines_counts_once() -> None:
    paid = OrderPaid(order="o", member="m", session=None, currency="USD", lines=(TEA, MILK, TEA, ADJUSTMENT), net=3300, at=2)
    assert tallied(product, paid).counts == {
        "product:tea": {"orders": 1, "units": 6},
        "product:milk": {"orders": 1, "units": 1},
    }


def test_units_given_back_are_counted_apart() -> None:
    refunded = OrderRefunded(
        order="o",
        refund="r",
        member="m",
        session=None,
        currency="USD",
        parts=((1, 2, 0), (3, 1, 0)),
        lines=(replace(TEA, quantity=2), ADJUSTMENT),
        net_retained=0,
        complete=False,
        at=3,
    )
    cancelled = OrderCancelled(order="p", member="m", session=None, currency="USD", reason="", lines=(TEA, MILK), at=3)
    assert tallied(product, refunded, cancelled).counts == {
        "product:tea": {"units_returned": 5},
        "product:milk": {"units_returned": 1},
    }


def test_an_adjustment_alone_writes_nothing() -> None:
    paid = OrderPaid(order="o", member="m", session=None, currency="USD", lines=(ADJUSTMENT,), net=0, at=2)
    delta = tallied(product, paid)
    assert not any(by for counts in delta.counts.values() for by in counts.values())
    assert delta.fields == {}


WHOSE: dict[str, Any] = {"product": "tea", "member": "m", "session": None, "at": 2}


def counts(*events: object) -> dict[str, int]:
    return dict(tallied(product, *events).counts["product:tea"])


def test_actions_of_members_and_guests_are_counted() -> None:
    facts = [fact(**WHOSE) for fact in (Viewed, Clicked, Favourited, Unfavourited, Dismissed, Shared)]
    assert counts(*facts, Viewed(product="tea", member=None, session="s", at=3)) == {
        "views": 2,
        "clicks": 1,
        "favourited": 1,
        "unfavourited": 1,
        "dismissals": 1,
        "shares": 1,
    }


def test_a_like_withdrawn_before_it_arrives_sums_to_nothing() -> None:
    liked, unliked = Favourited(**WHOSE), Unfavourited(**WHOSE)
    assert counts(unliked, liked) == counts(liked, unliked) == {"favourited": 1, "unfavourited": 1}


def test_adding_several_units_to_a_cart_counts_once() -> None:
    assert counts(
        *[CartItemAdded(cart="c", member="m", session=None, product="tea", quantity=n, price=599, at=2) for n in (1, 7)]
    ) == {"carted": 2}


def test_an_impression_counts_each_product_of_the_slot() -> None:
    shown = Impressed(slot="home", products=("tea", "milk"), member=None, session="s", propensities=(), strategy=None, at=2)
    assert tallied(product, shown, shown).counts == {"product:tea": {"shown": 2}, "product:milk": {"shown": 2}}


def test_a_repeated_review_counts_again() -> None:
    review = ProductReviewed(product="tea", member="m", session=None, half_stars=9, text=None, order=None, at=2)
    assert counts(review, replace(review, half_stars=4, at=3)) == {"reviews": 2, "half_stars": 13}
