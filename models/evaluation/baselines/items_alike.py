"""Products alike: item-kNN over baskets, and TREx with what goes with the cart."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.evaluation.baselines.counting import Trex
from models.evaluation.baselines.history import History
from models.evaluation.baselines.method import BasketMethod
from models.evaluation.cases import Case
from models.evaluation.facts import Floats, Numbers


class ItemKnn(BasketMethod):
    """The cosine of products over baskets, summed over what the cart holds, else over all that the member bought.

    A product is like itself by 1, so that what was bought before can be proposed again.
    """

    def __init__(self) -> None:
        self._unit: Any = None

    def fit(self, history: History) -> None:
        sizes = np.sqrt(np.maximum(1, history.popularity))
        unit = history.matrix.copy()
        unit.data = 1 / sizes[unit.indices]
        self._unit, self._across = unit, unit.T.tocsr()

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        told = np.zeros(history.width)
        told[case.shown if len(case.shown) else list(case.known)] = 1
        scores: Floats = self._across @ (self._unit @ told)
        return scores


class TrexWithCart(Trex):
    """TREx × (1 + 10 · P) + 0.3 · P, where P is the largest share of a shown product's baskets that hold the candidate, too."""

    def fit(self, history: History) -> None:
        super().fit(history)
        self._matrix, self._across = history.matrix, history.matrix.T.tocsr()
        self._baskets = history.popularity

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        likely = np.zeros(history.width)
        for product in case.shown.tolist():
            rows = self._across.indices[self._across.indptr[product] : self._across.indptr[product + 1]]
            if len(rows):
                together = np.asarray(self._matrix[rows].sum(axis=0)).ravel() / len(rows)
                likely = np.maximum(likely, together)
        scores: Floats = super().scores(case, history, popularity) * (1 + 10 * likely) + 0.3 * likely
        return scores
