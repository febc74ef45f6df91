"""Reading a running system, as a storefront would: the read models, by their keys."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from infra.redis.views import Views
from models.evaluation.quality import LISTS


def document(views: Views, key: str) -> dict[str, Any] | None:
    """A JSON read model, None if there is none."""
    raw = views.client.get(views.key(key))
    return None if raw is None else orjson.loads(raw)


def table(views: Views, key: str) -> dict[str, str]:
    """A map read model, empty if there is none."""
    return views.hashes([key])[key]


def keys_of(views: Views, part: str) -> Iterator[str]:
    """All keys of a part, such as ``card``, without the version."""
    cut = len(views.key(""))
    return (raw.decode()[cut:] for raw in views.client.scan_iter(match=views.key(f"{part}:*"), count=2000))


def documents(views: Views, part: str) -> Iterator[dict[str, Any]]:
    """All JSON read models of a part, in order of their keys."""
    return many(views, sorted(keys_of(views, part)))


def many(views: Views, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The JSON read models of these keys, those that there are."""
    for at in range(0, len(keys), 1000):
        for raw in views.client.mget([views.key(key) for key in keys[at : at + 1000]]):
            if raw is not None:
                yield orjson.loads(raw)


def sales_totals(views: Views) -> Counter[str]:
    """The whole of the daily sales, in minor units and counts."""
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
    """Running quality over the days ``since`` ≤ day < ``until``, by scope (``all``, ``no-staples``) and list."""
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
