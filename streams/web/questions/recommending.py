"""A list composed for the moment: the stored lists of a shopper, of a product and of the shop, filtered and filled up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from streams.web.access import Caller
from streams.web.problems import HttpProblem
from streams.web.questions.member_lists import MemberLists
from streams.web.questions.reader import ViewReader, Wanted

LONGEST_LIST = 100
MOST_EXCLUDED = 1000


class RecommendationContext(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Where the list is shown: beside a product, or in a cart that holds some."""

    product: str | None = None
    cart: tuple[str, ...] = ()


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What every product of the list must be. Prices are in minor units; ``in_stock``: none whose stock is said to be 0."""

    department: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    price_from: int | None = None
    price_to: int | None = None
    in_stock: bool = False
    attributes: dict[str, str] = {}


class ListWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Whom a list is for (a ``member``, else a ``session``, else anybody), how long it is, and what it must not hold.

    ``diversity``: 0 keeps the order; 1 lets each further product of a category count half as much as the one before.
    ``fresh``: true scores the member's list for now, false takes it as it is stored; left out, it is scored once it no
    longer holds.
    """

    member: str | None = None
    session: str | None = None
    slot: str | None = None
    count: int = 20
    context: RecommendationContext = RecommendationContext()
    filter: Filter = Filter()
    exclude: tuple[str, ...] = ()
    diversity: float = 0.0
    fresh: bool | None = None
    explain: bool = False


async def composed(
    wanted: ListWanted, caller: Caller, reader: ViewReader, position: Wanted | None, lists: MemberLists
) -> dict[str, Any]:
    """Return the list; fewer products than asked for, or an unknown shopper, is no error. Raises :class:`HttpProblem` 422."""
    _check(wanted)
    member = caller.member or wanted.member
    keys = _lists(wanted, member)
    found = await reader.documents(keys, position)
    documents: dict[str, dict[str, Any]] = {}
    for key, raw in zip(keys, found, strict=True):
        if raw is not None:
            part, _, of = key.partition(":")
            told = await lists.current(reader, raw, of, wanted.fresh) if part == "recommend" else raw
            documents[part] = json.loads(told) if isinstance(told, bytes) else told
    seen = {*wanted.exclude, *wanted.context.cart, *filter(None, (wanted.context.product,))}
    candidates: dict[str, dict[str, Any]] = {}
    for part, document in documents.items():
        for item in document["items"]:
            if item["product"] not in seen:
                candidates.setdefault(item["product"], {"from": part, **item})
    tables = await reader.tables([f"product:{name}" for name in candidates])
    products = dict(zip(candidates, tables, strict=True))
    fitting = [item for name, item in candidates.items() if suits(products[name], wanted.filter)]
    chosen = spread(fitting, products, wanted.diversity)[: wanted.count]
    as_of = max((document["as_of"] or 0 for document in documents.values()), default=0)
    reached = max((document["position"] or 0 for document in documents.values()), default=0)
    scored_at = documents.get("recommend", {}).get("scored_at")
    return {
        "recommendation": _name(wanted, member, reached, scored_at),
        "slot": wanted.slot,
        "strategy": "regulars",
        "version": reader.version_of("recommend"),
        "items": [_item(place, item, products[item["product"]], wanted.explain) for place, item in enumerate(chosen, 1)],
        "fallback": not documents or set(documents) == {"popular"},
        "as_of": as_of,
        "scored_at": scored_at,
        "until": min((document["until"] for document in documents.values() if document.get("until")), default=None),
        "position": reached,
    }


def _check(wanted: ListWanted) -> None:
    for name, fits, sentence in (
        ("count", 1 <= wanted.count <= LONGEST_LIST, f"A list has 1 to {LONGEST_LIST} places."),
        ("exclude", len(wanted.exclude) <= MOST_EXCLUDED, f"At most {MOST_EXCLUDED:,} products are left out."),
        ("diversity", 0 <= wanted.diversity <= 1, "Diversity is from 0 to 1."),
    ):
        if not fits:
            raise HttpProblem(422, "body_invalid", sentence, pointer=f"/{name}")


def _lists(wanted: ListWanted, member: str | None) -> list[str]:
    """Return the stored lists to draw from, the nearest first."""
    keys = []
    if wanted.context.product:
        keys.append(f"also:{wanted.context.product}")
    if member is not None:
        keys += [f"recommend:{member}"]
    elif wanted.session is not None:
        keys.append(f"visit:{wanted.session}")
    return [*keys, "popular"]


def suits(product: Mapping[str, str], asked: Filter) -> bool:
    """Return whether a product may stand in the list: it is not retired or sold out, and is what was asked for.

    >>> suits({"status": "retired"}, Filter()), suits({"brand": "Acme"}, Filter(brand=("Acme", "Other")))
    (False, True)
    """
    price = int(product["price"]) if "price" in product else None
    attributes = json.loads(product.get("attributes", "{}"))
    return (
        product.get("status") != "retired"
        and not (asked.in_stock and product.get("stock") == "0")
        and (not asked.department or product.get("department") in asked.department)
        and (not asked.category or product.get("category") in asked.category)
        and (not asked.brand or product.get("brand") in asked.brand)
        and (asked.price_from is None or (price is not None and price >= asked.price_from))
        and (asked.price_to is None or (price is not None and price <= asked.price_to))
        and all(attributes.get(name) == value for name, value in asked.attributes.items())
    )


def spread(items: Sequence[dict[str, Any]], products: Mapping[str, Mapping[str, str]], strength: float) -> list[dict[str, Any]]:
    """Return the items by their place, each further one of a category put back the more the greater the strength."""
    if not strength:
        return list(items)
    worth = {item["product"]: 1.0 / (1 + place) for place, item in enumerate(items)}
    left, chosen, shown = list(items), [], dict[str | None, int]()
    while left:
        best = max(
            left, key=lambda item: worth[item["product"]] * (1 - strength / 2) ** shown.get(_category(item, products), 0)
        )
        left.remove(best)
        chosen.append(best)
        shown[_category(best, products)] = shown.get(_category(best, products), 0) + 1
    return chosen


def _category(item: Mapping[str, Any], products: Mapping[str, Mapping[str, str]]) -> str | None:
    return products[item["product"]].get("category")


def _item(place: int, item: Mapping[str, Any], product: Mapping[str, str], explain: bool) -> dict[str, Any]:
    told = {
        "product": item["product"],
        "name": item.get("name") or product.get("name") or item["product"],
        "place": place,
        "score": item["score"],
        "source": item.get("source", item["from"]),
        "reason": item["reason"],
        "sponsored": False,
    }
    return {**told, "list": item["from"]} if explain else told


def _name(wanted: ListWanted, member: str | None, position: int, scored_at: int | None) -> str:
    """Return the id of what is shown: the same for the same question at the same position, scored for the same minute."""
    told = msgspec.json.encode([member, position, wanted, *([scored_at] if scored_at else ())])
    return sha256(told).hexdigest()[:20]
