"""The ranker keeps River's contract, begins as its best source, and learns what was bought of what was offered."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from river.checks import clf, common

from aggregates.delta import Delta
from models.evaluation.drift import BLOCK, MOST, Watch
from models.recommender.features import FEATURES
from models.recommender.items import Items
from models.recommender.ranker import Ranker, softmax
from models.recommender.ranker_state import ALARMS, RankerState

PIPELINES_ALONE = {"check_debug_one", "check_multiclass_is_bool"}  # or of more than two classes
NONE = np.zeros(5, np.int64)


class Dataset(list[tuple[dict[str, float], bool]]):
    """What River's checks expect of one: examples, a size, and how many classes."""

    n_samples, n_features, n_classes = 60, 2, 2

    def take(self, count: int) -> Iterator[tuple[dict[str, float], bool]]:
        return iter(self[:count])


def dataset() -> Dataset:
    chance = random.Random(1)
    rows = [{FEATURES[0]: chance.gauss(0, 1), FEATURES[1]: chance.gauss(0, 1)} for _ in range(60)]
    return Dataset((row, row[FEATURES[0]] > 0) for row in rows)


def of_river() -> list[Callable[..., None]]:
    """River's checks of an estimator over a dataset, and of a classifier."""
    checks = [check for module in (common, clf) for name, check in inspect.getmembers(module) if name.startswith("check_")]
    named = {check.__name__: check for check in checks if list(inspect.signature(check).parameters) == ["model", "dataset"]}
    return [named[name] for name in sorted(named) if "sklearn" not in name and name not in PIPELINES_ALONE]


@pytest.mark.parametrize("check", of_river(), ids=lambda check: check.__name__)
def test_it_passes_rivers_own_checks(check: Callable[..., None]) -> None:
    check(Ranker(), dataset())


def rows(seed: int) -> Any:
    return np.random.default_rng(seed).normal(size=(5, len(FEATURES)))


def test_it_begins_as_its_best_source() -> None:
    offered = rows(1)
    assert Ranker().score(offered, NONE).tolist() == offered[:, 0].tolist()


def test_asking_changes_nothing_and_the_same_lessons_give_the_same_bits() -> None:
    ranker, other = Ranker(), Ranker()
    for seed in range(30):
        goals = np.array([0.5, 0, 0, 0.5, 0]) if seed % 2 else np.array([0, 0, 1 / 3, 0, 0])
        other.learn(rows(seed), NONE, goals)
        ranker.score(rows(seed + 100), NONE)
        ranker.learn(rows(seed), NONE, goals)
    assert ranker.weights.values.tobytes() == other.weights.values.tobytes()


def test_it_learns_which_feature_tells() -> None:
    ranker, told = Ranker(), FEATURES.index("trend")
    for seed in range(400):
        offered = rows(seed)
        ranker.learn(offered, NONE, np.eye(5)[offered[:, told].argmax()])
    found = sum(int(ranker.score(rows(s), NONE).argmax() == rows(s)[:, told].argmax()) for s in range(1000, 1100))
    assert found > 80


def test_what_a_feature_does_is_told_with_its_bends() -> None:
    ranker, told = Ranker(), FEATURES.index("trend")
    for seed in range(400):
        offered = rows(seed)
        ranker.learn(offered, NONE, np.eye(5)[np.abs(offered[:, told] - 1).argmin()])
    mean, spread, effect = ranker.effects()
    assert abs(mean[told]) < 0.1
    assert abs(spread[told] - 1) < 0.1
    assert effect[told] == max(effect)
    assert Ranker().effects()[2].tolist() == [0.0] * len(FEATURES)


def test_a_category_that_is_bought_gains_on_the_others() -> None:
    ranker, kinds = Ranker(), np.array([0, 1, 2, 1, 2])
    for _ in range(50):
        ranker.learn(np.zeros((5, len(FEATURES))), kinds, np.array([0, 0.5, 0, 0.5, 0]))
    scores = ranker.score(np.zeros((5, len(FEATURES))), kinds)
    assert scores[1] == scores[3] > scores[0]
    assert scores[1] > scores[2]


def test_a_list_of_which_nothing_was_bought_teaches_nothing() -> None:
    ranker = Ranker()
    ranker.learn(rows(1), NONE, np.zeros(5))
    assert ranker.weights.values.tobytes() == Ranker().weights.values.tobytes()


def test_shares_sum_to_one_however_large_the_scores() -> None:
    assert softmax(np.array([900.0, 0.0, -900.0])).tolist() == [1.0, 0.0, 0.0]


def test_what_is_written_and_read_again_goes_on_as_if_it_had_not_stopped() -> None:
    items = Items()
    ranker, watch, delta = Ranker(), Watch(), Delta()
    state = RankerState(ranker, items, watch)
    for seed in range(20):
        ranker.learn(rows(seed), NONE, np.eye(5)[seed % 5])
        watch.learn_one(0.1 * (seed % 3), "2017-03-01", seed)
    state.write(delta)
    fresh, again = Ranker(), Watch()
    RankerState(fresh, Items(), again).restore(
        {key: {name: str(value) for name, value in fields.items()} for key, fields in delta.fields.items()}
    )
    assert fresh.weights.values.tobytes() == ranker.weights.values.tobytes()
    assert fresh.score(rows(99), NONE).tobytes() == ranker.score(rows(99), NONE).tobytes()
    assert (again.sum, again.count, again.means) == (watch.sum, watch.count, watch.means)


def test_a_watch_that_was_cut_and_restored_raises_the_same_alarms() -> None:
    chance = random.Random(3)
    recalls = [chance.random() * (0.5 if n < 700 * BLOCK else 0.3) for n in range((MOST + 200) * BLOCK)]
    whole, parts = Watch(), Watch()
    raised: dict[int, str] = {}
    for n, recall in enumerate(recalls):
        whole.learn_one(recall, "2017-03-01", n)
        parts.learn_one(recall, "2017-03-01", n)
        if n % 20_011 == 0:
            raised |= parts.raised
            after = Watch()
            after.sum, after.count = parts.sum, parts.count
            after.resume(list(parts.means))
            parts = after
    assert whole.raised == raised | parts.raised != {}


def test_an_alarm_is_written_under_its_position() -> None:
    watch, delta = Watch(), Delta()
    watch.raised[7] = "{}"
    RankerState(Ranker(), Items(), watch).write(delta)
    assert delta.fields[ALARMS] == {"7": "{}"}
