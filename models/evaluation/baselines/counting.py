"""Counts: what sells, what a member buys, both, fading, and weighted by how surely buyers come back."""

from __future__ import annotations

import numpy as np

from models.evaluation.baselines.history import History, weighted
from models.evaluation.baselines.method import BasketMethod
from models.evaluation.cases import Case
from models.evaluation.facts import Floats, Numbers

DAY = 86_400_000
PSEUDO_BUYERS = 10.0
"""Average buyers that every product is given, so that its first real ones do not decide alone."""


class GlobalTop(BasketMethod):
    """G-Pop: the products in the most baskets."""

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        return popularity.astype(np.float64)


class PersonalTop(BasketMethod):
    """P-Top: what the member bought most often. ``filled``: GP-Top, with what is popular after it."""

    def __init__(self, filled: bool = False) -> None:
        self.filled = filled

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        return weighted(history.baskets, case.earlier, np.ones(len(case.earlier)))


class RecentTop(BasketMethod):
    """What the member bought most often, ties by the last purchase, then what is popular."""

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        counts = weighted(history.baskets, case.earlier, np.ones(len(case.earlier)))
        last = np.zeros(history.width)
        for place, basket in enumerate(case.earlier.tolist(), 1):
            last[history.baskets.of(basket)] = place
        return counts + last / (len(case.earlier) + 1)


class FadingReturn(BasketMethod):
    """Purchases that lose half their weight in ``days``, times the product's return rate to the power ``trust``."""

    def __init__(self, days: float = 180.0, trust: float = 1.0) -> None:
        self.days = days
        self.trust = trust
        self._rates: Floats = np.zeros(0)

    def fit(self, history: History) -> None:
        self._rates = return_rates(history) ** self.trust

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        age = np.maximum(0, case.at - history.baskets.at[case.earlier]) / DAY
        return weighted(history.baskets, case.earlier, 2.0 ** (-age / self.days)) * self._rates


def return_rates(history: History) -> Floats:
    """Return by product the purchases by members who had bought it before, over its buyers, smoothed."""
    times = history.times
    buyers = np.bincount(times.indices, minlength=history.width).astype(np.float64)
    returns = np.bincount(times.indices, times.data - 1, history.width)
    mean = (returns.sum() + 1) / (buyers.sum() + 1)
    rates: Floats = (returns + PSEUDO_BUYERS * mean) / (buyers + PSEUDO_BUYERS)
    return rates


class Trex(BasketMethod):
    """TREx's repeat module, filled with what is popular (Li and others, 2023).

    score = rep · Σ beta^(baskets ago), with rep = (Σ over members who bought it twice or more of (times - 1)^alpha) / buyers
    + mean / (buyers + 1), the mean of the first part over all products that were bought.
    """

    def __init__(self, alpha: float = 0.7, beta: float = 0.9) -> None:
        self.alpha = alpha
        self.beta = beta
        self._rep: Floats = np.zeros(0)

    def fit(self, history: History) -> None:
        times = history.times
        buyers = np.bincount(times.indices, minlength=history.width).astype(np.float64)
        again = np.bincount(times.indices, np.maximum(0, times.data - 1) ** self.alpha, history.width)
        rates = again / np.maximum(1, buyers)
        mean = rates[buyers > 0].mean() if (buyers > 0).any() else 0.0
        self._rep = rates + mean / (buyers + 1)

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        fading: Floats = np.power(self.beta, np.arange(len(case.earlier) - 1.0, -1.0, -1.0))
        return weighted(history.baskets, case.earlier, fading) * self._rep
