"""What a rule is about: lines of an order, members, days. Whatever a part leaves empty, it does not ask for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """Lines of an order: those of one of these products, categories or departments.

    >>> Selection(categories=("tea",)).has("p1", None, "tea"), Selection().has("p1", None, "tea")
    (True, False)
    """

    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()

    def has(self, product: str, department: str | None, category: str | None) -> bool:
        return product in self.products or category in self.categories or department in self.departments

    @property
    def is_empty(self) -> bool:
        return not (self.products or self.categories or self.departments)


@dataclass(frozen=True)
class Audience:
    """Members who hold one of ``tiers`` (if any are named) and bear one of ``tags`` (if any are named)."""

    tiers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def has(self, tier: str, tags: Collection[str] = ()) -> bool:
        return (not self.tiers or tier in self.tiers) and (not self.tags or any(tag in tags for tag in self.tags))


@dataclass(frozen=True)
class Days:
    """Local days from ``first`` to ``last``, both included, as ISO text; None: no bound.

    >>> Days("2026-11-27", "2026-11-30").has("2026-11-30"), Days(first="2026-11-27").has("2026-11-26")
    (True, False)
    """

    first: str | None = None
    last: str | None = None

    def has(self, day: str) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)
