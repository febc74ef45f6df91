"""A product's page: what the shop says of it, and how often it was bought and given back."""

from __future__ import annotations

import json
from typing import TypeAlias, assert_never

from aggregates.delta import Delta
from aggregates.order.facts import OrderCancelled, OrderPaid, OrderRefunded
from aggregates.product import ProductListed, ProductRepriced, ProductRetired
from projections.kernel import Tally

Event: TypeAlias = ProductListed | ProductRepriced | ProductRetired | OrderPaid | OrderRefunded | OrderCancelled


def project(delta: Delta, event: Event) -> None:
    match event:
        case ProductListed():
            delta.fields[f"product:{event.product}"].update(
                name=event.name,
                department=event.department,
                category=event.category,
                brand=event.brand,
                price=event.price,
                stock=event.stock,
                attributes=json.dumps(event.attributes) if event.attributes else None,
                status="listed",
            )
        case ProductRepriced():
            delta.fields[f"product:{event.product}"]["price"] = event.price
        case ProductRetired():
            delta.fields[f"product:{event.product}"]["status"] = "retired"
        case OrderPaid():
            for product in {line.product for line in event.lines if line.quantity}:
                delta.count(f"product:{product}", "orders", 1)
            for line in event.lines:
                delta.count(f"product:{line.product}", "units", line.quantity)
        case OrderRefunded() | OrderCancelled():
            for line in event.lines:
                delta.count(f"product:{line.product}", "units_returned", line.quantity)
        case _:
            assert_never(event)


product = Tally("product", 1, ("product",), frozenset(Event.__args__), project)
