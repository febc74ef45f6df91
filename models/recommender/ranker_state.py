"""The ranker's and the watch's state as maps of text, written as they change and restored from there, every number exactly.

``ranker``: by feature its weight, its sum of squared gradients, and the sums of its values and of their squares; ``.bends`` and
``.steps``: the rest of the weights, and of the squared gradients; ``ranker:categories``: by category the same two; ``watch``:
what the watch has seen; ``alarms``: by position in the log, for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from aggregates.delta import Delta
from models.evaluation.drift import Watch
from models.recommender.items import Floats, Items
from models.recommender.ranker import Ranker

WEIGHTS, CATEGORIES, WATCH, ALARMS = "ranker", "ranker:categories", "watch", "alarms"
BENDS, STEPS, SEEN = ".bends", ".steps", ".seen"
PARTS = (WEIGHTS, WATCH, ALARMS)


class RankerState:
    def __init__(self, ranker: Ranker, items: Items, watch: Watch) -> None:
        self._ranker = ranker
        self._items = items
        self._watch = watch
        self._held = False

    def needs(self) -> tuple[str, ...]:
        """Return the keys that are not in memory."""
        return () if self._held else (WEIGHTS, CATEGORIES, WATCH)

    def restore(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        self._held = self._held or WEIGHTS in maps
        if fields := maps.get(WEIGHTS):
            self._restore_weights(fields)
        for category, text in maps.get(CATEGORIES, {}).items():
            number = self._items.categories.setdefault(category, len(self._items.categories))
            weights = self._ranker.categories
            weights.grow(number + 1)
            weights.values[number], weights.squares[number] = numbers(text)
        if fields := maps.get(WATCH):
            self._watch.sum, self._watch.count = float(fields["sum"]), int(fields["count"])
            self._watch.resume(numbers(fields["means"]).tolist())

    def write(self, delta: Delta) -> None:
        """Add what changed since the last write."""
        ranker, watch = self._ranker, self._watch
        if ranker.touched:
            delta.fields[WEIGHTS].update(self._weights())
            names = list(self._items.categories)
            told = ranker.categories
            delta.fields[CATEGORIES].update(
                {names[at]: text((told.values[at], told.squares[at])) for at in sorted(ranker.touched)}
            )
            ranker.touched.clear()
        if watch.changed:
            delta.fields[WATCH].update(sum=repr(watch.sum), count=watch.count, means=text(watch.means))
            watch.changed = False
        if watch.raised:
            delta.fields[ALARMS].update({str(position): alarm for position, alarm in watch.raised.items()})
            watch.raised.clear()

    def _weights(self) -> dict[str, str | int]:
        ranker, count = self._ranker, len(self._ranker.features)
        values, squares = ranker.weights.values, ranker.weights.squares
        told = zip(values[:count], squares[:count], ranker.sums, ranker.squares, strict=True)
        return {
            **{name: text(each) for name, each in zip(ranker.features, told, strict=True)},
            BENDS: text(values[count:]),
            STEPS: text(squares[count:]),
            SEEN: ranker.seen,
        }

    def _restore_weights(self, fields: Mapping[str, str]) -> None:
        ranker, count = self._ranker, len(self._ranker.features)
        told = np.array([numbers(fields[name]) for name in ranker.features]).T
        ranker.weights.values[:count], ranker.weights.squares[:count] = told[:2]
        ranker.sums[:], ranker.squares[:] = told[2:]
        ranker.weights.values[count:] = numbers(fields[BENDS])
        ranker.weights.squares[count:] = numbers(fields[STEPS])
        ranker.seen = int(fields[SEEN])


def text(values: Iterable[float]) -> str:
    """Numbers that read back as they were, to the last bit."""
    return " ".join(repr(float(value)) for value in values)


def numbers(written: str) -> Floats:
    return np.array([float(value) for value in written.split()])
