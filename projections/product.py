"""A product's page: the shop's description, how often it was bought and given back, and what shoppers make of it.

Counters only grow, so that increments commute: likes and withdrawn likes are counted apart. A repeated review counts again,
since its event does not say what it replaces.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TypeAlias, assert_never

from aggregates.behaviour import Clicked, Dismissed, Favourited, Impressed, Shared, Unfavourited, Viewed
from aggregates.cart_events import (
    CartItemAdded,
)
from aggregates.delta import Delta, Scalar
from aggregates.order.events import OrderCancelled, OrderPaid, OrderRefunded
from aggregates.product import ProductListed, ProductRepriced, ProductRestocked, ProductRetired
from aggregates.review import ProductReviewed
from projections.projection import Tally

Counted: TypeAlias = CartItemAdded | Viewed | Clicked | Favourited | Unfavourited | Dismissed | Shared
Described: TypeAlias = ProductListed | ProductRepriced | ProductRetired
Sold: TypeAlias = OrderPaid | OrderRefunded | OrderCancelled
Event: TypeAlias = Counted | Described | ProductRestocked | Sold | Impressed | ProductReviewed

COUNTERS: dict[type, str] = {
    CartItemAdded: "carted",
    Viewed: "views",
    Clicked: "clicks",
    Favourited: "favourited",
    Unfavourited: "unfavourited",
    Dismissed: "dismissals",
    Shared: "shares",
}
"""The counter to which each event of one product and one shopper adds 1."""


def project(delta: Delta, event: Event) -> None:
    if counter := COUNTERS.get(type(event)):
        delta.counts[f"product:{event.product}"][counter] += 1  # type: ignore[union-attr]
        return
    match event:
        case Impressed():
            for product in event.products:
                delta.count(f"product:{product}", "shown", 1)
        case ProductReviewed():
            delta.count(f"product:{event.product}", "reviews", 1)
            delta.count(f"product:{event.product}", "half_stars", event.half_stars)
        case ProductListed() | ProductRepriced() | ProductRetired():
            delta.fields[f"product:{event.product}"].update(description_fields(event))
        case ProductRestocked():
            delta.count(f"product:{event.product}", "restocked", event.units)
        case OrderPaid():
            counts, bought = delta.counts, set[str]()
            for line in event.lines:
                mine = counts[f"product:{line.product}"]
                mine["units"] += line.quantity
                if line.quantity and line.product not in bought:
                    bought.add(line.product)
                    mine["orders"] += 1
        case OrderRefunded() | OrderCancelled():
            for line in event.lines:
                delta.count(f"product:{line.product}", "units_returned", line.quantity)
        case _:
            raise TypeError(f"product counts nothing for {type(event).__name__}")


def description_fields(event: Described) -> dict[str, Scalar | None]:
    """Return the fields that an event sets, None for those that it removes."""
    match event:
        case ProductListed():
            return {
                "name": event.name,
                "description": event.description,
                "image": event.image,
                "department": event.department,
                "category": event.category,
                "brand": event.brand,
                "price": event.price,
                "stock": event.stock,
                "attributes": attributes_as_json(tuple(event.attributes.items())) if event.attributes else None,
                "status": "listed",
            }
        case ProductRepriced():
            return {"price": event.price}
        case ProductRetired():
            return {"status": "retired"}
        case _:
            assert_never(event)


@lru_cache(maxsize=4096)
def attributes_as_json(pairs: tuple[tuple[str, str], ...]) -> str:
    """Return attributes as JSON. Many products have the same ones."""
    return json.dumps(dict(pairs))


product = Tally("product", 1, ("product",), frozenset(Event.__args__), project)
