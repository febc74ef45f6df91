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


def fitted(name: str, matrix: Any, factors: int, regularization: float, iterations: int) -> tuple[Floats, Floats]:
    """Return the factors of a matrix's rows and of its columns."""
    from threadpoolctl import threadpool_limits

    model_of = make(name)  # imported before the limit, which holds for what is loaded by then
    common = {"factors": factors, "regularization": regularization, "iterations": iterations}
    with threadpool_limits(1, "blas"):
        model = model_of(**common, random_state=SEED, num_threads=1, use_gpu=False)
        model.fit(matrix, show_progress=False)
    return np.asarray(model.user_factors, np.float64), np.asarray(model.item_factors, np.float64)


def make(name: str) -> Any:
    """Return the package's class of a model."""
    if name == "als":
        from implicit.als import AlternatingLeastSquares

        return AlternatingLeastSquares
    from implicit.bpr import BayesianPersonalizedRanking

    return BayesianPersonalizedRanking


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
        self._members, self._products = fitted(self.name, history.times.astype(np.float32), *self.settings)

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        return above_nothing(self._products @ self._members[case.owner], popularity)


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
        _, found = fitted(self.name, seen, *self.settings)
        self._products = found
        solved: Floats = np.linalg.inv(found.T @ found + self.settings[1] * np.eye(found.shape[1])).astype(np.float64)
        self._solve = solved
