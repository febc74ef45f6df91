"""BPR and ALS, by the package ``implicit``, which the extra ``evaluate`` brings.

They are fitted with one thread and a fixed seed. All products that were ever bought or looked at are ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy import sparse

from models.evaluation.baselines.history import History
from models.evaluation.baselines.method import BasketMethod
from models.evaluation.baselines.visits_alike import VisitMethod
from models.evaluation.cases import Case
from models.evaluation.facts import Floats, Numbers
from models.evaluation.ranking import top

SEED = 7


def installed() -> bool:
    return find_spec("implicit") is not None


def model(name: str, factors: int, regularization: float, iterations: int) -> Any:
    """Return an unfitted model of the package."""
    if name == "als":
        from implicit.als import AlternatingLeastSquares

        return AlternatingLeastSquares(
            factors=factors,
            regularization=regularization,
            iterations=iterations,
            alpha=1.0,
            random_state=SEED,
            num_threads=1,
            use_gpu=False,
        )
    from implicit.bpr import BayesianPersonalizedRanking

    return BayesianPersonalizedRanking(
        factors=factors, regularization=regularization, iterations=iterations, random_state=SEED, num_threads=1, use_gpu=False
    )


def above_nothing(scores: Floats, popularity: Numbers) -> Floats:
    """Return scores of any sign as scores above 0 of all products that somebody had."""
    shifted: Floats = np.where(popularity > 0, scores - scores.min() + 1.0, 0.0)
    return shifted


class Factors(BasketMethod):
    """Factors of members and products, from how often who bought what."""

    growth = 2.0

    def __init__(self, name: str, factors: int = 100, regularization: float = 0.01, iterations: int = 15) -> None:
        self.name = name
        self.settings = factors, regularization, iterations
        self._products: Floats = np.zeros((0, 0))
        self._members: Floats = np.zeros((0, 0))

    def fit(self, history: History) -> None:
        times = history.times.astype(np.float32)
        fitted = model(self.name, *self.settings)
        fitted.fit(times, show_progress=False)
        self._products, self._members = np.asarray(fitted.item_factors), np.asarray(fitted.user_factors)

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        return above_nothing((self._products @ self._members[case.owner]).astype(np.float64), popularity)


class VisitFactors(VisitMethod):
    """Factors of visits and products. A visit at hand stands where the products that it has seen are, on average.

    Online, it is fitted anew when the visits have doubled.
    """

    def __init__(self, name: str, factors: int = 100, regularization: float = 0.01, iterations: int = 15) -> None:
        self.name = name
        self.settings = factors, regularization, iterations

    def begin(self, width: int) -> None:
        self._width, self._fitted = width, 0
        self._visits: list[Sequence[int]] = []
        self._products: Floats = np.zeros((width, 1))

    def learn(self, products: Sequence[int], at: int) -> None:
        self._visits.append(products)

    def list_for(self, products: Sequence[int], at: int, popularity: Numbers, count: int) -> list[int]:
        if len(self._visits) >= 2 * max(1, self._fitted):
            self._fit()
        mine = self._products[list(products)].mean(axis=0)
        return top(above_nothing((self._products @ mine).astype(np.float64), popularity), popularity, count)

    def _fit(self) -> None:
        self._fitted = len(self._visits)
        items = np.array([product for products in self._visits for product in products], np.int64)
        rows = np.repeat(np.arange(self._fitted), [len(products) for products in self._visits])
        seen = sparse.csr_matrix((np.ones(len(items), np.float32), (rows, items)), shape=(self._fitted, self._width))
        fitted = model(self.name, *self.settings)
        fitted.fit(seen, show_progress=False)
        self._products = np.asarray(fitted.item_factors)
