"""Reads the read models of a running system by their keys, as a storefront would."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, TypeAlias

import orjson

from infra.redis.views import Views
from models.evaluation.quality import LISTS, METRICS, NEW_LISTS, PAIRED, SCOPES, VISIT_LISTS, VISIT_METRICS, gain


def document(views: Views, key: str) -> dict[str, Any] | None:
    """Return a JSON read model, None if there is none."""
    raw = views.client.get(views.key(key))
    return None if raw is None else orjson.loads(raw)


def table(views: Views, key: str) -> dict[str, str]:
    """Return a map read model, empty if there is none."""
    return views.hashes([key])[key]


def keys_of(views: Views, part: str) -> Iterator[str]:
    """Yield all keys of a part, such as ``card``, without the version."""
    cut = len(views.prefix_of(part))
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
    """Means over baskets: recall@10, NDCG@10 and the share of baskets with any hit.

    ``recall_gain``, ``ndcg_gain``: what ours has more on the same baskets, each with its paired standard error.
    """

    baskets: int
    recall: float
    ndcg: float
    hit_rate: float
    recall_gain: float
    recall_se: float
    ndcg_gain: float
    ndcg_se: float


@dataclass(frozen=True)
class VisitQuality:
    """Means over looks in visits that had begun: HR@20 and MRR@20; what ours has more, each with its paired standard error."""

    acts: int
    hit_rate: float
    mrr: float
    hit_rate_gain: float
    hit_rate_se: float
    mrr_gain: float
    mrr_se: float


Qualities: TypeAlias = dict[tuple[str, str], ListQuality]
"""By scope and list."""


def quality(views: Views, since: str = "", until: str = "~") -> Qualities:
    """Return the quality over the days ``since`` ≤ day < ``until``, by scope and list."""
    sums = quality_sums(views, since, until)
    return {
        (scope, name): ListQuality(
            int(baskets),
            *figures(sums, scope, name, METRICS, PAIRED, baskets),
        )
        for scope in SCOPES
        if (baskets := sums[f"{scope}:baskets"])
        for name in (NEW_LISTS if scope == "new" else LISTS)
    }


def visit_quality(views: Views, since: str = "", until: str = "~") -> dict[str, VisitQuality]:
    """Return the quality of the lists of visits over some days, by list; empty if nobody has looked on."""
    sums = quality_sums(views, since, until)
    acts = sums["visits:acts"]
    return {
        name: VisitQuality(
            int(acts),
            *figures(sums, "visits", name, VISIT_METRICS, VISIT_METRICS, acts),
        )
        for name in VISIT_LISTS
        if acts
    }


def quality_sums(views: Views, since: str, until: str) -> defaultdict[str, float]:
    days = [key for key in keys_of(views, "quality") if since <= key.partition(":")[2] < until]
    sums: defaultdict[str, float] = defaultdict(float)
    for figures in views.hashes(sorted(days)).values():
        for name, value in figures.items():
            sums[name] += float(value)
    return sums


def figures(
    sums: Mapping[str, float], scope: str, name: str, metrics: Sequence[str], compared: Sequence[str], count: float
) -> list[float]:
    """Return the mean of each metric of a list; then, of those compared, what ours has more and its standard error."""
    found = [sums[f"{scope}:{name}:{metric}"] / count for metric in metrics]
    for metric in compared:
        field = f"{scope}:{name}:{metric}"
        gained = (sums[f"{scope}:regulars:{metric}"] - sums[field]) / count
        squares = sums[gain(field)] / count
        found += [gained, sqrt(max(squares - gained * gained, 0.0) / count)]
    return found
