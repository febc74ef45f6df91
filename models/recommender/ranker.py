"""The ranker: one score of many features, learned from what was offered and what then was bought.

score = w·x + v·tanh(A·x + b) + c[category], a straight line with sixteen bends and a weight for each category. It begins as its
best source: w is 1 for that source's score and 0 elsewhere, as are v and c.

Recall of a basket of n products is Σ 1/n over what was found, so the goal of a candidate is 1/n if it was bought and 0 if not.
The loss is the cross-entropy between these goals and the softmax of the scores over the candidates of one list (ListNet, Cao
and others, 2007): it learns from everything offered in one step, and no member has a level of their own to be learned.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from river import base

from models.recommender.adagrad import AdaGrad
from models.recommender.features import FEATURES
from models.recommender.items import Floats, Numbers

BENDS = 16
RATE = 0.1
FIRST_BENDS = 0.1
"""How large the weights are that lead to the bends, before anything was learned."""

UNKNOWN: Numbers = np.zeros(1, np.int64)
"""The category of what has none."""


class Ranker(base.Classifier):
    """A binary classifier by River's contract, with ``score`` and ``learn`` over arrays for whole lists.

    ``best``: the feature whose weight begins at 1. ``seen``, ``sums`` and ``squares`` tell how the features are spread.

    >>> ranker = Ranker(("score", "trend"), best="score")
    >>> ranker.predict_proba_one({"score": 0.0})[True]
    0.5
    >>> for _ in range(100): ranker.learn_one({"trend": 1.0}, True); ranker.learn_one({"trend": -1.0}, False)
    >>> ranker.predict_one({"trend": 1.0}), ranker.predict_one({"trend": -1.0})
    (True, False)
    """

    def __init__(
        self, features: tuple[str, ...] = FEATURES, best: str = FEATURES[0], bends: int = BENDS, rate: float = RATE
    ) -> None:
        self.features = features
        self.best = best
        self.bends = bends
        self.rate = rate
        count = len(features)
        self.seen = 0
        self.sums: Floats = np.zeros(count)
        self.squares: Floats = np.zeros(count)
        self.weights = AdaGrad(np.zeros(count + bends * (count + 2) + 1), rate, start=1.0)
        self.categories = AdaGrad(np.zeros(1), rate, start=0.1)
        self.touched: set[int] = set()  # categories that are not as they were written last
        straight, into, *_ = self.parts(self.weights.values)
        straight[:] = [name == best for name in features]
        into[:] = FIRST_BENDS * np.sqrt(2) * np.cos(np.arange(1.0, count * bends + 1) ** 2).reshape(count, bends)

    def parts(self, flat: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """One array of all weights as w, A, b, v, and the level of :meth:`predict_proba_one`."""
        count, bends = len(self.features), self.bends
        into, shift, out = count, count + count * bends, count + count * bends + bends
        return flat[:into], flat[into:shift].reshape(count, bends), flat[shift:out], flat[out:-1], flat[-1:]

    def score(self, rows: Floats, categories: Numbers) -> Floats:
        """The score of each row of features; the higher, the sooner it should be shown."""
        return self._bent(rows, categories)[0]

    def learn(self, rows: Floats, categories: Numbers, goals: Floats) -> None:
        """Learn from one list: the ``goals`` of its candidates are shares of a basket, 0 for what was not bought."""
        whole = goals.sum()
        if whole:
            scores, bent = self._bent(rows, categories)
            self._learn(rows, categories, bent, softmax(scores) * whole - goals)
            self.touched.update(categories.tolist())
            self.seen += len(rows)
            self.sums += rows.sum(axis=0)
            self.squares += (rows * rows).sum(axis=0)

    def effects(self) -> tuple[Floats, Floats, Floats]:
        """Mean and spread of each feature, and what it adds to a score on its way from a spread below the mean to one above.

        All others stand at their means, so that the bends count, too.
        """
        mean = self.sums / max(1, self.seen)
        spread = np.sqrt(np.maximum(self.squares / max(1, self.seen) - mean * mean, 0))
        unknown = np.zeros(len(mean), np.int64)
        effect: Floats = self.score(mean + np.diag(spread), unknown) - self.score(mean - np.diag(spread), unknown)
        return mean, spread, effect

    # River's contract

    def predict_proba_one(self, x: dict[Hashable, Any], **_: Any) -> dict[base.typing.ClfTarget, float]:
        score = float(self.score(self._row(x), UNKNOWN)[0] + self.weights.values[-1])
        yes = float(0.5 + 0.5 * np.tanh(score / 2))
        return {False: 1.0 - yes, True: yes}

    def learn_one(self, x: dict[Hashable, Any], y: base.typing.ClfTarget, w: float = 1.0) -> None:
        """One step of logistic regression."""
        row, error = self._row(x), w * (self.predict_proba_one(x)[True] - float(y))
        self._learn(row, UNKNOWN, self._bent(row, UNKNOWN)[1], np.array([error]), level=error)

    def _row(self, x: dict[Hashable, Any]) -> Floats:
        return np.array([[float(x.get(name, 0.0)) for name in self.features]])

    def _bent(self, rows: Floats, categories: Numbers) -> tuple[Floats, Floats]:
        """The scores, and what the bends are at."""
        straight, into, shift, out, _ = self.parts(self.weights.values)
        self.categories.grow(int(categories.max(initial=0)) + 1)
        bent = np.tanh(rows @ into + shift)
        return rows @ straight + bent @ out + self.categories.values[categories], bent

    def _learn(self, rows: Floats, categories: Numbers, bent: Floats, errors: Floats, level: float = 0.0) -> None:
        """Follow the gradient, given the loss's slope by each score."""
        out = self.parts(self.weights.values)[3]
        inner = errors[:, None] * out * (1 - bent * bent)
        self.weights.step(np.concatenate((errors @ rows, (rows.T @ inner).ravel(), inner.sum(axis=0), errors @ bent, [level])))
        slopes: Floats = np.bincount(categories, errors, len(self.categories.values)).astype(np.float64)
        self.categories.step(slopes)


def softmax(scores: Floats) -> Floats:
    """Shares of one, in proportion to e^score; none of none."""
    shares: Floats = np.exp(scores - scores.max(initial=-np.inf))
    shares /= shares.sum()
    return shares
