"""From scores to a list of products, with one rule for ties.

Equal scores go by popularity at that moment, then by id. Scores are compared as 32-bit numbers, so that the order in which a
sum was taken decides nothing.
"""

from __future__ import annotations

import numpy as np

from models.evaluation.facts import Floats, Numbers


def top(scores: Floats, popularity: Numbers, count: int, out: Numbers | None = None, filled: bool = True) -> list[int]:
    """Return the products with the highest scores above 0, best first.

    ``filled``: with too few, popular ones follow. ``out``: products that must not be listed.

    >>> top(np.array([0.0, 2.0, 2.0, 0.0]), np.array([9, 1, 3, 0]), 4)
    [2, 1, 0]
    """
    if out is not None and len(out):
        scores, popularity = scores.copy(), popularity.copy()
        scores[out] = popularity[out] = 0
    listed = best(np.flatnonzero(scores > 0), scores, popularity, count)
    if filled and len(listed) < count:
        rest = popularity.copy()
        rest[listed] = 0
        listed += best(np.flatnonzero(rest > 0), rest, rest, count - len(listed))
    return listed


def top_of(products: Numbers, scores: Floats, popularity: Numbers, count: int) -> list[int]:
    """Return the same list, filled, for scores of a few ``products`` above 0."""
    short = scores.astype(np.float32)
    listed = ranked(products, short, popularity, count)
    if len(listed) < count:
        rest = popularity.copy()
        rest[listed] = 0
        listed += best(np.flatnonzero(rest > 0), rest, rest, count - len(listed))
    return listed


def best(among: Numbers, scores: Floats | Numbers, popularity: Numbers, count: int) -> list[int]:
    """Return the highest-scored of some products."""
    return ranked(among, scores[among].astype(np.float32), popularity, count)


def ranked(among: Numbers, short: np.ndarray[tuple[int], np.dtype[np.float32]], popularity: Numbers, count: int) -> list[int]:
    """Return products by their scores, which stand beside them."""
    if len(among) > count:
        reaching = short >= np.partition(short, -count)[-count]
        among, short = among[reaching], short[reaching]
    order = np.lexsort((among, -popularity[among], -short))[:count]
    listed: list[int] = among[order].tolist()
    return listed


def joined(lists: list[list[int]], popularity: Numbers, count: int) -> list[int]:
    """Return several lists as one, each place worth 1 / place."""
    sums: dict[int, float] = {}
    for listed in lists:
        for place, product in enumerate(listed, 1):
            sums[product] = sums.get(product, 0.0) + 1 / place
    products = np.fromiter(sums, np.int64, len(sums))
    return top_of(products, np.fromiter(sums.values(), np.float64, len(sums)), popularity, count)
