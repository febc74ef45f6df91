"""Members alike: TIFU-KNN and UP-CF."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.evaluation.baselines.history import History, weighted
from models.evaluation.baselines.method import BasketMethod
from models.evaluation.cases import Case
from models.evaluation.facts import Floats, Numbers


class TifuKnn(BasketMethod):
    """TIFU-KNN (Hu and others, 2020): a member's baskets fading within and between groups, mixed with the nearest members'.

    ``within`` and ``between`` are the paper's r_b and r_g, ``own`` its alpha, ``groups`` its m, ``nearest`` its k. ``whole``:
    a basket fades with all baskets that follow it, as in the published code, else with those of its group, as in the paper.
    """

    def __init__(
        self,
        nearest: int = 300,
        within: float = 0.9,
        between: float = 0.7,
        own: float = 0.7,
        groups: int = 7,
        whole: bool = True,
    ) -> None:
        self.nearest = nearest
        self.within = within
        self.between = between
        self.own = own
        self.groups = groups
        self.whole = whole
        self._vectors: Any = None
        self._squares: Floats = np.zeros(0)
        self._members: Numbers = np.zeros(0, np.int64)

    def fit(self, history: History) -> None:
        vectors = history.by_member(self.weights)
        self._members = np.array([n for n, rows in enumerate(history.own) if len(rows)], np.int64)
        self._vectors = vectors[self._members]
        self._squares = np.asarray(self._vectors.multiply(self._vectors).sum(axis=1)).ravel()

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        mine = weighted(history.baskets, case.earlier, self.weights(len(case.earlier)))
        away = self._squares - 2 * (self._vectors @ mine)  # less a part that is the same for all
        away[self._members == case.owner] = np.inf
        near = nearest(away, min(self.nearest, int(np.isfinite(away).sum())))
        if not len(near):
            return mine
        theirs = np.asarray(self._vectors[near].sum(axis=0)).ravel() / len(near)
        mixed: Floats = self.own * mine + (1 - self.own) * theirs
        return mixed

    def weights(self, count: int) -> Floats:
        """Return the weights of so many baskets, the earliest first. Of unequal groups the later ones are larger.

        >>> TifuKnn(within=0.5, between=0.1, groups=2, whole=False).weights(3).tolist()
        [0.05, 0.125, 0.25]
        >>> TifuKnn(within=0.5, between=0.1, groups=2).weights(3).tolist()
        [0.0125, 0.125, 0.25]
        """
        groups = min(self.groups, count)
        if not groups:
            return np.zeros(0)
        small, over = divmod(count, groups)
        sizes = [small + (n >= groups - over) for n in range(groups)]
        after = np.arange(count - 1.0, -1.0, -1.0)
        if not self.whole:
            after = np.concatenate([np.arange(size - 1.0, -1.0, -1.0) for size in sizes])
        of_group = [self.between ** (groups - 1 - n) / groups / size for n, size in enumerate(sizes)]
        weights: Floats = np.repeat(of_group, sizes) * np.power(self.within, after)
        return weights


class UpCf(BasketMethod):
    """UP-CF@r (Faggioli and others, 2020): how often in the latest ``recent`` baskets, over all members alike.

    Two members are alike by common products / (mine^alpha · theirs^(1 - alpha)), to the power ``sharpness``. A member is like
    themselves by 1.
    """

    def __init__(self, recent: int = 25, alpha: float = 0.25, sharpness: float = 5) -> None:
        self.recent = recent
        self.alpha = alpha
        self.sharpness = sharpness
        self._shares: Any = None
        self._bought: Any = None
        self._sizes: Floats = np.zeros(0)

    def fit(self, history: History) -> None:
        self._shares = history.by_member(self.weights)
        self._bought = history.times.copy()
        self._bought.data[:] = 1
        self._sizes = np.asarray(self._bought.sum(axis=1)).ravel()

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        mine = weighted(history.baskets, case.earlier, self.weights(len(case.earlier)))
        had = np.zeros(history.width)
        had[list(case.known)] = 1
        if not case.known:
            return mine
        common = self._bought @ had
        alike = common / (len(case.known) ** self.alpha * np.maximum(1, self._sizes) ** (1 - self.alpha))
        alike **= self.sharpness
        alike[case.owner] = 0
        scores: Floats = mine + self._shares.T @ alike
        return scores

    def weights(self, count: int) -> Floats:
        """Return the weights of so many baskets, the earliest first.

        >>> UpCf(recent=2).weights(3).tolist()
        [0.0, 0.5, 0.5]
        """
        counted = min(self.recent, count)
        weights = np.zeros(count)
        weights[count - counted :] = 1 / max(1, counted)
        return weights


def nearest(away: Floats, count: int) -> Numbers:
    """Return the places of the least values; of equal ones the first."""
    if count < len(away):
        reaching = np.flatnonzero(away <= np.partition(away, count - 1)[count - 1]) if count else np.zeros(0, np.int64)
    else:
        reaching = np.flatnonzero(np.isfinite(away))
    order: Numbers = reaching[np.argsort(away[reaching], kind="stable")][:count]
    return order
