"""The baskets that a method may learn from, and a member's own, as sparse matrices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from models.evaluation.facts import Baskets, Floats, Numbers


@dataclass(frozen=True)
class History:
    """``known``: numbers of the baskets that may be learned from, in the order of the log. ``now``: epoch milliseconds."""

    baskets: Baskets
    known: Numbers
    now: int

    @property
    def width(self) -> int:
        return len(self.baskets.products)

    @cached_property
    def matrix(self) -> Any:
        """A row a known basket, a column a product, 1 for each product of the basket."""
        baskets, known = self.baskets, self.known
        items = items_of(baskets, known)
        sizes = baskets.starts[known + 1] - baskets.starts[known]
        starts = np.concatenate(([0], np.cumsum(sizes)))
        return sparse.csr_matrix((np.ones(len(items)), items, starts), shape=(len(known), self.width))

    @cached_property
    def own(self) -> list[Numbers]:
        """Of each member, the rows of :attr:`matrix` that are theirs."""
        member = self.baskets.member[self.known]
        order = np.argsort(member, kind="stable")
        bounds = np.searchsorted(member[order], np.arange(len(self.baskets.members) + 1))
        return [order[first:last] for first, last in pairwise(bounds.tolist())]

    @cached_property
    def times(self) -> Any:
        """A row a member, a column a product: in how many of the member's baskets it was."""
        return self.by_member(lambda count: np.ones(count))

    @cached_property
    def popularity(self) -> Numbers:
        """Baskets by product."""
        return np.bincount(items_of(self.baskets, self.known), minlength=self.width).astype(np.int64)

    def by_member(self, weights: Any) -> Any:
        """Return the sum of each member's baskets, weighted: ``weights(n)`` are those of n baskets, the earliest first."""
        of_count = {count: weights(count) for count in {len(rows) for rows in self.own}}
        of_member = [of_count[len(rows)] for rows in self.own]
        starts = np.concatenate(([0], np.cumsum([len(rows) for rows in self.own])))
        rows = np.concatenate(self.own) if self.own else np.zeros(0, np.int64)
        data = np.concatenate(of_member) if of_member else np.zeros(0)
        chosen = sparse.csr_matrix((data, rows, starts), shape=(len(self.own), len(self.known)))
        return (chosen @ self.matrix).tocsr()


def items_of(baskets: Baskets, some: Numbers) -> Numbers:
    """Return the products of some baskets, one basket after the other."""
    starts, sizes = baskets.starts[some], baskets.starts[some + 1] - baskets.starts[some]
    offsets = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    items: Numbers = baskets.items[np.repeat(starts, sizes) + offsets]
    return items


def weighted(baskets: Baskets, some: Numbers, weights: Floats) -> Floats:
    """Return by product the sum of the weights of the baskets that hold it."""
    sizes = baskets.starts[some + 1] - baskets.starts[some]
    sums: Floats = np.bincount(items_of(baskets, some), np.repeat(weights, sizes), len(baskets.products)).astype(np.float64)
    return sums
