"""A product: listed, repriced, restocked, retired.

Prices are minor units of the shop's currency. An unknown price or stock is None; stock that is None is not tracked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, TypeAlias, assert_never

from aggregates.decider import LONGEST_TEXT, Context, Decider, Refusal, require_count, require_id, require_text
from aggregates.fields import Count, Instant, ProductId
from aggregates.value import Value, replace

LONGEST_VALUE = 2_000  # characters of an image's address or an attribute
MOST_ATTRIBUTES = 100
LONGEST_EMBEDDING = 4_096

# Commands


class ListProduct(Value):
    """To list a listed product again replaces all its fields."""

    product: str
    at: int
    name: str | None = None
    department: str | None = None
    category: str | None = None
    brand: str | None = None
    price: int | None = None
    stock: int | None = None
    attributes: Mapping[str, str] = {}
    description: str | None = None
    image: str | None = None
    embedding: tuple[float, ...] = ()


class RepriceProduct(Value):
    product: str
    price: int
    at: int


class RestockProduct(Value):
    """Units arrived, or below 0 were lost. What is sold is counted by orders; listing with ``stock`` counts anew."""

    product: ProductId
    units: Annotated[int, Count("units", signed=True)]
    at: Instant


class RetireProduct(Value):
    product: str
    at: int


Command: TypeAlias = ListProduct | RepriceProduct | RestockProduct | RetireProduct

# Events


class ProductListed(Value, kw_only=True):
    product: str
    name: str | None
    department: str | None
    category: str | None
    brand: str | None
    price: int | None
    stock: int | None
    attributes: Mapping[str, str]
    at: int
    description: str | None = None
    image: str | None = None
    embedding: tuple[float, ...] = ()


class ProductRepriced(Value, kw_only=True):
    product: str
    price: int
    previous: int | None
    at: int


class ProductRestocked(Value, kw_only=True):
    product: str
    units: int
    at: int


class ProductRetired(Value):
    product: str
    at: int


Event: TypeAlias = ProductListed | ProductRepriced | ProductRestocked | ProductRetired

# State


@dataclass(frozen=True)
class Product:
    listed: ProductListed | None = None
    price: int | None = None
    retired: bool = False
    tracked: bool = False  # its stock was said


def decide(command: Command, product: Product, _: Context) -> list[Event]:
    match command:
        case ListProduct():
            return list_product(command, product)
        case RepriceProduct():
            require_listed(product)
            require_count("price", command.price)
            if command.price == product.price:
                return []
            return [ProductRepriced(product=command.product, price=command.price, previous=product.price, at=command.at)]
        case RestockProduct():
            require_listed(product)
            return [ProductRestocked(product=command.product, units=command.units, at=command.at)] if command.units else []
        case RetireProduct():
            if product.retired:
                return []
            require_listed(product)
            return [ProductRetired(command.product, command.at)]
        case _:
            assert_never(command)


def list_product(command: ListProduct, product: Product) -> list[Event]:
    require_id("product", command.product)
    if command.price is not None:
        require_count("price", command.price)
    if command.stock is not None:
        require_count("stock", command.stock)
    for what in ("name", "department", "category", "brand"):
        require_text(what, getattr(command, what))
    require_text("description", command.description, LONGEST_TEXT)
    require_text("image", command.image, LONGEST_VALUE)
    if len(command.attributes) > MOST_ATTRIBUTES:
        raise Refusal("attributes_invalid", f"A product has at most {MOST_ATTRIBUTES} attributes.")
    for name, value in command.attributes.items():
        require_text("attribute's name", name)
        require_text("attribute", value, LONGEST_VALUE)
    if len(command.embedding) > LONGEST_EMBEDDING:
        raise Refusal("embedding_invalid", f"An embedding has at most {LONGEST_EMBEDDING} numbers.")
    if not all(map(isfinite, command.embedding)):
        raise Refusal("embedding_invalid", "An embedding is made of finite numbers.")
    listed = ProductListed(
        product=command.product,
        name=command.name,
        department=command.department,
        category=command.category,
        brand=command.brand,
        price=command.price,
        stock=command.stock,
        attributes=dict(command.attributes),
        at=command.at,
        description=command.description,
        image=command.image,
        embedding=tuple(command.embedding),
    )
    known = product.listed
    if known and not product.retired and replace(listed, at=known.at) == replace(known, price=product.price):
        return []
    return [listed]


def require_listed(product: Product) -> None:
    if product.listed is None:
        raise Refusal("product_unknown", "No product has this id; list it first.")
    if product.retired:
        raise Refusal("product_retired", "This product is retired; list it again to sell it.")


def evolve(product: Product, event: Event) -> Product:
    match event:
        case ProductListed():
            return Product(event, event.price, tracked=product.tracked or event.stock is not None)
        case ProductRepriced():
            return replace(product, price=event.price)
        case ProductRestocked():
            return replace(product, tracked=True)
        case ProductRetired():
            return replace(product, retired=True)
        case _:
            assert_never(event)


product = Decider("product", Product(), decide, evolve)
