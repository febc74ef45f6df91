"""The ranker: one score of many features, learned online from what was offered and what then was chosen.

score = w·x + v·tanh(A·x + b) + c[category]: a straight line, bends, and a weight for each category.

The goals of a list are shares: 1/n for each product of a basket of n that was offered, 1 for the product looked at next. The
loss is the cross-entropy between these goals and the softmax of the scores over the candidates of one list (ListNet, Cao
and others, 2007). It learns from everything offered in one step, and no member needs a level of their own.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from river import base

from aggregates.delta import Delta
from models.recommender.items import Floats, Numbers

BENDS = 16
RATE = 0.1
FIRST_BENDS = 0.1
"""Size of the weights that lead to the bends before anything was learned."""

DESCRIBED = 8
"""Lists of which one is added to the means and spreads of the features."""

LAYOUT = ".features"


class AdaGrad:
    """Weights that learn with steps of their own: the more a weight has moved, the smaller its step.

    ``squares``: the sum of squared gradients of each weight (Duchi, Hazan and Singer, 2011). ``mean``: the mean of about the
    last ``averaged`` values of each, or the values themselves if that is 0.

    >>> weights = AdaGrad(np.zeros(2), rate=0.1, start=1.0)
    >>> weights.step(np.array([1.0, 0.0])); weights.values.round(3).tolist(), weights.squares.tolist()
    ([-0.071, 0.0], [2.0, 1.0])
    """

    def __init__(self, values: Floats, rate: float, start: float, averaged: int = 0) -> None:
        self.values = values
        self.rate = rate
        self.start = start
        self.averaged = averaged
        self.steps = 0
        self.squares: Floats = np.full_like(values, start)
        self.mean = values.copy() if averaged else values

    def step(self, gradient: Floats) -> None:
        """Take a step against a gradient, which is used up."""
        self.squares += gradient * gradient
        gradient /= np.sqrt(self.squares)
        gradient *= self.rate
        self.values -= gradient
        self.steps += 1
        if self.averaged:
            difference = self.values - self.mean
            difference *= 1 / min(self.steps, self.averaged)
            self.mean += difference

    def grow(self, count: int) -> None:
        """Have at least ``count`` weights, new ones at 0."""
        more = count - len(self.values)
        if more > 0:
            self.values = np.concatenate((self.values, np.zeros(more)))
            self.squares = np.concatenate((self.squares, np.full(more, self.start)))
            self.mean = np.concatenate((self.mean, np.zeros(more))) if self.averaged else self.values

    def arrays(self) -> tuple[Floats, ...]:
        return (self.values, self.squares, self.mean) if self.averaged else (self.values, self.squares)

    def dump(self, places: Sequence[int] | None = None) -> str:
        """Return all numbers, or those of some weights, as text that reads back to the last bit."""
        arrays = self.arrays() if places is None else [array[list(places)] for array in self.arrays()]
        return " ".join((str(self.steps), *(b64encode(array.tobytes()).decode() for array in arrays)))

    def load(self, text: str) -> None:
        steps, *arrays = text.split(" ")
        self.steps = int(steps)
        self.values, self.squares, *mean = (np.frombuffer(b64decode(array)).copy() for array in arrays)
        self.mean = mean[0] if mean else self.values


class Ranker(base.Classifier):
    """A binary classifier by River's contract; lists are scored and learned at once by ``score`` and ``learn``.

    River's ``predict_proba_one`` and ``learn_one`` are these two over a list of two: the example, and a candidate of zeros.

    ``key``: where its state is stored. ``best``: a feature whose weight begins at 1. ``averaged``: lists over which weights are
    averaged for scoring. ``seen``, ``sums``, ``squares``: number of candidates of one in :data:`DESCRIBED` lists, and
    sums of their features.

    >>> ranker = Ranker(("score", "trend"), best="score")
    >>> ranker.predict_proba_one({"score": 0.0})[True]
    0.5
    >>> for _ in range(100): ranker.learn_one({"trend": 1.0}, True); ranker.learn_one({"trend": -1.0}, False)
    >>> ranker.predict_one({"trend": 1.0}), ranker.predict_one({"trend": -1.0})
    (True, False)
    """

    def __init__(
        self,
        features: tuple[str, ...],
        best: str = "",
        bends: int = BENDS,
        rate: float = RATE,
        averaged: int = 0,
        key: str = "ranker",
    ) -> None:
        self.features = features
        self.best = best
        self.bends = bends
        self.rate = rate
        self.averaged = averaged
        self.key = key
        count = len(features)
        self.seen = 0
        self.sums: Floats = np.zeros(count)
        self.squares: Floats = np.zeros(count)
        self.weights = AdaGrad(np.zeros((count + 1) * (bends + 1) + bends), rate, 1.0, averaged)
        self.categories = AdaGrad(np.zeros(1), rate, 0.1, averaged)
        self._changed = False
        for flat in self.weights.arrays()[::2]:
            into, _ = self.parts(flat)
            into[bends, :-1] = [name == best for name in features]
            begin = FIRST_BENDS * np.sqrt(2) * np.cos(np.arange(1.0, count * bends + 1) ** 2)
            into[:bends, :-1] = begin.reshape(count, bends).T

    # Lists

    def score(self, rows: Floats, categories: Numbers | None = None) -> Floats:
        """Return the score of each row of features; the highest is to be shown first."""
        into, out = self.parts(self.weights.mean)
        led = into[:, :-1] @ rows.T
        led += into[:, -1:]
        scores: Floats = out @ np.tanh(led[:-1]) + led[-1]
        if categories is not None:
            self.categories.grow(int(categories.max(initial=0)) + 1)
            scores += self.categories.mean[categories]
        return scores

    def learn(self, rows: Floats, goals: Floats, categories: Numbers | None = None) -> None:
        """Learn from one list. ``goals``: of each candidate its share of what was chosen, 0 if it was not."""
        whole = goals.sum()
        if not whole:
            return
        into, out = self.parts(self.weights.values)
        with_one = np.ones((len(rows), len(self.features) + 1))
        with_one[:, :-1] = rows
        led = into @ with_one.T
        bent = np.tanh(led[:-1])
        scores = out @ bent + led[-1]
        if categories is not None:
            self.categories.grow(int(categories.max(initial=0)) + 1)
            scores += self.categories.values[categories]
        errors = softmax(scores)
        errors *= whole
        errors -= goals
        slopes_of_bends = bent * bent
        np.subtract(1, slopes_of_bends, out=slopes_of_bends)
        slopes_of_bends *= out[:, None]
        np.multiply(errors, slopes_of_bends, out=led[:-1])
        led[-1] = errors
        gradient = np.empty_like(self.weights.values)
        of_into, of_out = self.parts(gradient)
        np.matmul(led, with_one, out=of_into)
        np.matmul(bent, errors, out=of_out)
        of_into[-1, -1] = 0  # a level that all candidates share changes nothing
        self.weights.step(gradient)
        if categories is not None:
            slopes: Floats = np.bincount(categories, errors, len(self.categories.values)).astype(np.float64)
            self.categories.step(slopes)
        if self.weights.steps % DESCRIBED == 1:
            self.seen += len(rows)
            self.sums += rows.sum(axis=0)
            self.squares += (rows * rows).sum(axis=0)
        self._changed = True

    def parts(self, flat: Floats) -> tuple[Floats, Floats]:
        """Return one array of all weights as a table, with a row a bend and one for the score, of what leads there from each
        feature and from 1; and v."""
        until = (len(self.features) + 1) * (self.bends + 1)
        return flat[:until].reshape(self.bends + 1, -1), flat[until:]

    def effects(self) -> tuple[Floats, Floats, Floats]:
        """Return mean and spread of each feature, and what it adds to a score from a spread below the mean to one above.

        All others stand at their means, so that the bends count, too.
        """
        mean = self.sums / max(1, self.seen)
        spread = np.sqrt(np.maximum(self.squares / max(1, self.seen) - mean * mean, 0))
        effect: Floats = self.score(mean + np.diag(spread)) - self.score(mean - np.diag(spread))
        return mean, spread, effect

    # River's contract

    def predict_proba_one(self, x: dict[Hashable, Any], **_: Any) -> dict[base.typing.ClfTarget, float]:
        yes = float(softmax(self.score(self._beside_zeros(x)))[0])
        return {False: 1.0 - yes, True: yes}

    def learn_one(self, x: dict[Hashable, Any], y: base.typing.ClfTarget, w: float = 1.0) -> None:
        self.learn(self._beside_zeros(x), w * np.array([float(y), 1.0 - float(y)]))

    def _beside_zeros(self, x: dict[Hashable, Any]) -> Floats:
        return np.array([[float(x.get(name, 0.0)) for name in self.features], [0.0] * len(self.features)])

    # State

    def dump(self, delta: Delta, categories: Mapping[str, int]) -> None:
        """Write the state if it changed. ``categories``: the number of each."""
        if self._changed:
            named = {name: number for name, number in categories.items() if self._has_learned(number)}
            names = sorted(named)
            fields: dict[str, str | int | None] = {
                LAYOUT: json.dumps([*self.features, self.bends]),
                ".weights": self.weights.dump(),
                ".categories": self.categories.dump([named[name] for name in names]),
                ".names": json.dumps(names),
                ".seen": self.seen,
                ".spread": " ".join(b64encode(sums.tobytes()).decode() for sums in (self.sums, self.squares)),
            }
            delta.fields[self.key].update(fields)
            self._changed = False

    def _has_learned(self, category: int) -> bool:
        weights = self.categories
        values = [array[category] for array in (weights.values, weights.mean) if category < len(array)]
        return any(values) or (category < len(weights.squares) and bool(weights.squares[category] != weights.start))

    def load(self, maps: Mapping[str, Mapping[str, str]], categories: dict[str, int]) -> None:
        """Read the state from where it was written, and give unknown ``categories`` their numbers."""
        if LAYOUT in (fields := maps.get(self.key, {})):
            if json.loads(fields[LAYOUT]) != [*self.features, self.bends]:
                raise ValueError("The ranker's state is of other features: empty this Redis, and fill it anew.")
            self.weights.load(fields[".weights"])
            self.seen = int(fields[".seen"])
            self.sums, self.squares = (np.frombuffer(b64decode(sums)).copy() for sums in fields[".spread"].split(" "))
            stored = AdaGrad(np.zeros(1), self.rate, 0.1, self.averaged)
            stored.load(fields[".categories"])
            numbers = [categories.setdefault(name, len(categories)) for name in json.loads(fields[".names"])]
            self.categories.grow(max(numbers, default=0) + 1)
            self.categories.steps = stored.steps
            for mine, read in zip(self.categories.arrays(), stored.arrays(), strict=True):
                mine[numbers] = read


def softmax(scores: Floats) -> Floats:
    """Return shares of 1, in proportion to e^score. No scores give no shares."""
    shares: Floats = scores - np.maximum.reduce(scores, initial=-np.inf)
    np.exp(shares, out=shares)
    shares /= np.add.reduce(shares)
    return shares
