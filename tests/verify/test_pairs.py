"""What bounding the pairs loses against full counts, over the whole year. A minute: `make verify`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from models.recommender.co_occurrence import LEAST_TOGETHER, CoOccurrence
from models.recommender.items import Items
from streams.cli.console import ERR
from streams.imports.journey_files import JourneyFiles

pytestmark = pytest.mark.slow

LEAST_BASKETS = 10  # of a product, for its list to be compared
TOP = 10


def full_counts(baskets: list[list[str]], number: dict[str, int]) -> Any:
    ends = np.cumsum([0] + [len(basket) for basket in baskets])
    columns = np.array([number[product] for basket in baskets for product in basket])
    bought = csr_array((np.ones(len(columns), np.int32), columns, ends), shape=(len(baskets), len(number)))
    return csr_array(bought.T @ bought)


def best(products: np.ndarray, together: np.ndarray, sold: np.ndarray) -> set[int]:
    told = together >= LEAST_TOGETHER
    products, together = products[told], together[told]
    order = np.lexsort((products, -(together**1.5) / sold[products]))
    return set(products[order[:TOP]].tolist())


def test_bounded_pairs_keep_most_of_each_list() -> None:
    items = Items()
    pairs = CoOccurrence(items)
    baskets = []
    for basket in JourneyFiles().baskets(None):
        products = [line.product for line in basket.lines if line.quantity]
        baskets.append(products)
        items.baskets += 1
        for product in products:
            items.learn_one(product, None, 0)
        pairs.learn_one(products)
        pairs.changed.clear()
    number = {product: at for at, product in enumerate(items)}
    names = list(number)
    sold = np.array([items[name].baskets for name in names], float)
    full = full_counts(baskets, number)

    overlaps, weights, kept, whole, entries = [], [], 0, 0, 0
    for at, name in enumerate(names):
        others, counts = full.indices[full.indptr[at] : full.indptr[at + 1]], full.data[full.indptr[at] : full.indptr[at + 1]]
        mine = pairs.together.get(name, {}) | dict.fromkeys(pairs.once.get(name, ()), 1)
        entries += len(mine)
        kept += sum(mine.values())
        whole += int(counts.sum()) - int(sold[at])
        if sold[at] >= LEAST_BASKETS:
            true = best(others[others != at], counts[others != at].astype(float), sold)
            held = best(np.array([number[o] for o in mine], int), np.array(list(mine.values()), float), sold)
            if true:
                overlaps.append(len(true & held) / len(true))
                weights.append(sold[at])
    equal, weighted = float(np.mean(overlaps)), float(np.average(overlaps, weights=weights))
    ERR.print(
        f"Pairs: {entries:,} entries of {full.nnz - len(names):,}, {kept / whole:.3f} of all counts; of a product's ten best, "
        f"{equal:.3f} are kept ({weighted:.3f} weighted by baskets), over {len(overlaps):,} products"
    )
    assert equal > 0.8
    assert weighted > 0.55
