"""How the folds of a rebuild are divided into parts, each of which one process fills."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heapreplace

from models.learner import Learner
from streams.projecting.loaders import Fold

COSTS = {
    "product": 56, "cart": 42, "card": 30, "sales": 22, "orders": 16, "orderlists": 15, "orderstates": 10, "lowest": 10
}  # fmt: skip
"""What folding takes beside reading and decoding the same log (100), over two weeks of Complete Journey."""

SMALL = 3
"""What any other fold takes about."""


def parts_of(folds: Sequence[Fold], processes: int, one_by_one: bool = False) -> list[list[Fold]]:
    """Divide folds into parts for so many processes, of about the same cost.

    The learner is a part by itself and comes first, since it takes longer than all others together. ``one_by_one``: each fold
    is a part, so that a process holds the documents of one fold only; each reads the log by itself.
    """
    learner: list[list[Fold]] = [[fold] for fold in folds if fold is Learner]
    others = sorted((fold for fold in folds if fold is not Learner), key=lambda fold: -COSTS.get(fold.name, SMALL))
    if one_by_one:
        return [*learner, *([fold] for fold in others)]
    if processes == 1:
        return [list(folds)] if folds else []
    count = min(len(others), max(1, processes - len(learner)))
    bins: list[tuple[int, int, list[Fold]]] = [(0, number, []) for number in range(count)]
    heapify(bins)
    for fold in others:
        cost, number, some = bins[0]
        heapreplace(bins, (cost + COSTS.get(fold.name, SMALL), number, [*some, fold]))
    return [*learner, *(some for _, _, some in sorted(bins, key=lambda one: -one[0]))]
