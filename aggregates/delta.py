"""What a fold writes: the compact sum of a chunk of events, independent of any database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

Scalar: TypeAlias = str | int


def _counters() -> defaultdict[str, defaultdict[str, int]]:
    return defaultdict(partial(defaultdict, int))


@dataclass
class Delta:
    """Writes to read models, which are applied together or not at all.

    ``documents``: the whole new content of a key, None to remove it. ``fields``: fields of a map set to a value, None to
    remove. ``counts``: integers added to fields of a map. ``scores``: integers added to the scores of a ranking.
    Counts and scores commute; documents and fields have one writer each.

    >>> delta = Delta()
    >>> delta.count("sales:2017-01-01", "orders", 1); delta.count("sales:2017-01-01", "orders", 2)
    >>> dict(delta.counts["sales:2017-01-01"])
    {'orders': 3}
    """

    documents: dict[str, object | None] = field(default_factory=dict)
    fields: defaultdict[str, dict[str, Scalar | None]] = field(default_factory=lambda: defaultdict(dict))
    counts: defaultdict[str, defaultdict[str, int]] = field(default_factory=_counters)
    scores: defaultdict[str, defaultdict[str, int]] = field(default_factory=_counters)

    def count(self, key: str, name: str, by: int) -> None:
        self.counts[key][name] += by

    def score(self, key: str, name: str, by: int) -> None:
        self.scores[key][name] += by
