"""Weights that learn by AdaGrad: each with a step of its own, the smaller the more it has been moved."""

from __future__ import annotations

import numpy as np

from models.recommender.items import Floats


class AdaGrad:
    """``squares`` is the sum of squared gradients of each weight (Duchi, Hazan and Singer, 2011).

    >>> weights = AdaGrad(np.zeros(2), rate=0.1, start=1.0)
    >>> weights.step(np.array([1.0, 0.0])); weights.values.round(3).tolist(), weights.squares.tolist()
    ([-0.071, 0.0], [2.0, 1.0])
    """

    def __init__(self, values: Floats, rate: float, start: float) -> None:
        self.values = values
        self.rate = rate
        self.start = start
        self.squares: Floats = np.full_like(values, start)

    def step(self, gradient: Floats) -> None:
        self.squares += gradient * gradient
        self.values -= self.rate * gradient / np.sqrt(self.squares)

    def grow(self, count: int) -> None:
        """Have at least ``count`` weights, new ones at 0."""
        more = count - len(self.values)
        if more > 0:
            self.values = np.concatenate((self.values, np.zeros(more)))
            self.squares = np.concatenate((self.squares, np.full(more, self.start)))
