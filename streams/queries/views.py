"""Reads the read models of a running system by their keys, as a storefront would."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from infra.redis.views import Views
from models.evaluation.quality import LISTS


def document(views: Views, key: str) -> dict[str, Any] | None:
    """Return a JSON read model, None if there is none."""
    raw = views.client.get(views.key(key))
    return None if raw is None else orjson.loads(raw)


def table(views: Views, key: str) -> dict[str, str]:
    """Return a map read model, empty if there is none."""
    return views.hashes([key])[key]


def keys_of(views: Views, part: str) -> Iterator[str]:
    """Yield all keys of a part, such as ``card``, without the version."""
    cut = len(views.key(""))
    return (raw.decode()[cut:] for raw in views.client.scan_iter(match=views.key(f"{part}:*"), count=2000))


def documents(views: Views, part: str) -> Iterator[dict[str, Any]]:
    """Yield all JSON read models of a part, in order of their keys."""
    return many(views, sorted(keys_of(views, part)))


def many(views: Views, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the JSON read models of these keys, without those that do not exist."""
    for at in range(0, len(keys), 1000):
        for raw in views.client.mget([views.key(key) for key in keys[at : at + 1000]]):
            if raw is not None:
                yield orjson.loads(raw)


def product_names(views: Views, products: Sequence[str]) -> dict[str, str]:
    """Return the name of each product with what tells it apart from others of that name: brand, size and department."""
    found = views.hashes([f"product:{product}" for product in products])
    return {product: full_name(product, found[f"product:{product}"]) for product in products}


def full_name(product: str, fields: dict[str, str]) -> str:
    """Return a product's name with its brand, size and department, as far as they are known.

    >>> full_name("7", {"name": "TEA", "brand": "Private", "department": "GROCERY", "attributes": '{"size": "20 CT"}'})
    'TEA, Private, 20 CT (GROCERY)'
    """
    size = orjson.loads(fields.get("attributes", "{}")).get("size")
    words = ", ".join(part for part in (fields.get("name") or product, fields.get("brand"), size) if part)
    return f"{words} ({fields['department']})" if fields.get("department") else words


def sales_totals(views: Views) -> Counter[str]:
    """Return the sum of all daily sales, in minor units and counts."""
    totals: Counter[str] = Counter()
    days = [key for key in keys_of(views, "sales") if key.count(":") == 1]
    for counts in views.hashes(days).values():
        totals.update({name: int(value) for name, value in counts.items()})
    return totals


@dataclass(frozen=True)
class ListQuality:
    """Means over baskets: recall@10, NDCG@10 and the share of baskets with any hit."""

    baskets: int
    recall: float
    ndcg: float
    hit_rate: float


Qualities: TypeAlias = dict[tuple[str, str], ListQuality]
"""By scope and list."""


def quality(views: Views, since: str = "", until: str = "~") -> Qualities:
    """Return the quality over the days ``since`` ≤ day < ``until``, by scope (``all``, ``no-staples``) and list."""
    days = [key for key in keys_of(views, "quality") if since <= key.partition(":")[2] < until]
    sums: defaultdict[str, float] = defaultdict(float)
    for figures in views.hashes(sorted(days)).values():
        for name, value in figures.items():
            sums[name] += float(value)
    return {
        (scope, name): ListQuality(
            int(baskets), *(sums[f"{scope}:{name}:{metric}"] / baskets for metric in ("recall", "ndcg", "hits"))
        )
        for scope in ("all", "no-staples")
        if (baskets := sums[f"{scope}:baskets"])
        for name in LISTS
    }
