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
    """Factors of visits and products. Online, they are fitted anew when the visits have doubled.

    ALS solves for the visit at hand what it would have found for it; BPR puts it where its products are, on average.
    """

    def __init__(self, name: str, factors: int = 100, regularization: float = 0.01, iterations: int = 15) -> None:
        self.name = name
        self.settings = factors, regularization, iterations

    def begin(self, width: int) -> None:
        self._width, self._fitted = width, 0
        self._visits: list[Sequence[int]] = []
        self._products: Floats = np.zeros((width, 1))
        self._solve: Floats = np.zeros((1, 1))

    def learn(self, products: Sequence[int], at: int) -> None:
        self._visits.append(products)

    def settle(self) -> None:
        if self._visits and len(self._visits) >= 2 * self._fitted:
            self._fit()

    def list_for(self, products: Sequence[int], at: int, popularity: Numbers, count: int) -> list[int]:
        seen = self._products[list(dict.fromkeys(products))]
        if self.name == "als":
            mine = self._solve @ seen.sum(axis=0)
        else:
            mine = seen.mean(axis=0)
            mine[-1] = 1.0  # the package keeps a product's level in its last factor
        return top(above_nothing(self._products @ mine, popularity), popularity, count)

    def _fit(self) -> None:
        self._fitted = len(self._visits)
        items = np.array([product for products in self._visits for product in products], np.int64)
        rows = np.repeat(np.arange(self._fitted), [len(products) for products in self._visits])
        seen = sparse.csr_matrix((np.ones(len(items), np.float32), (rows, items)), shape=(self._fitted, self._width))
        fitted = model(self.name, *self.settings)
        fitted.fit(seen, show_progress=False)
        found: Floats = np.asarray(fitted.item_factors, np.float64)
        self._products = found
        solved: Floats = np.linalg.inv(found.T @ found + self.settings[1] * np.eye(found.shape[1])).astype(np.float64)
        self._solve = solved
