"""The ranker keeps River's contract over what serves, begins as its best source, and learns what was chosen."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np
import pytest
from river.checks import clf, common

from aggregates.delta import Delta
from models.evaluation.drift import ALARMS, BLOCK, MOST, Watch
from models.recommender.features import FEATURES
from models.recommender.ranker import Ranker, softmax

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
@pytest.mark.parametrize("averaged", [0, 100])
def test_it_passes_rivers_own_checks(check: Callable[..., None], averaged: int) -> None:
    check(Ranker(FEATURES, best=FEATURES[0], averaged=averaged), dataset())


def test_rivers_methods_are_what_serves_over_a_list_of_two() -> None:
    one, other = Ranker(FEATURES), Ranker(FEATURES)
    for seed in range(50):
        example, bought = rows(seed)[0], seed % 3 == 0
        beside = np.array([example, np.zeros(len(FEATURES))])
        named: dict[Hashable, Any] = dict(zip(FEATURES, example.tolist(), strict=True))
        assert one.predict_proba_one(named)[True] == softmax(other.score(beside))[0]
        one.learn_one(named, bought)
        other.learn(beside, np.array([1.0, 0.0] if bought else [0.0, 1.0]))
        assert one.weights.values.tobytes() == other.weights.values.tobytes()


def rows(seed: int) -> Any:
    return np.random.default_rng(seed).normal(size=(5, len(FEATURES)))


def test_it_begins_as_its_best_source_or_knowing_nothing() -> None:
    offered = rows(1)
    assert Ranker(FEATURES, best=FEATURES[0]).score(offered, NONE).tolist() == offered[:, 0].tolist()
    assert Ranker(FEATURES).score(offered).tolist() == [0.0] * 5


def test_scores_are_of_weights_averaged_over_the_latest_lists() -> None:
    ranker, weights = Ranker(FEATURES, averaged=10), []
    for seed in range(10):
        ranker.learn(rows(seed), np.eye(5)[seed % 5])
        weights.append(ranker.weights.values.copy())
    assert np.allclose(ranker.weights.mean, np.mean(weights, axis=0))
    assert ranker.score(rows(99)).tolist() != Ranker(FEATURES).score(rows(99)).tolist()


def test_asking_changes_nothing_and_the_same_lessons_give_the_same_bits() -> None:
    ranker, other = Ranker(FEATURES), Ranker(FEATURES)
    for seed in range(30):
        goals = np.array([0.5, 0, 0, 0.5, 0]) if seed % 2 else np.array([0, 0, 1 / 3, 0, 0])
        other.learn(rows(seed), goals, NONE)
        ranker.score(rows(seed + 100), NONE)
        ranker.learn(rows(seed), goals, NONE)
    assert ranker.weights.values.tobytes() == other.weights.values.tobytes()


def test_it_learns_which_feature_tells() -> None:
    ranker, told = Ranker(FEATURES), FEATURES.index("trend")
    for seed in range(400):
        offered = rows(seed)
        ranker.learn(offered, np.eye(5)[offered[:, told].argmax()], NONE)
    found = sum(int(ranker.score(rows(s), NONE).argmax() == rows(s)[:, told].argmax()) for s in range(1000, 1100))
    assert found > 80


def test_what_a_feature_does_is_told_with_its_bends() -> None:
    ranker, told = Ranker(FEATURES), FEATURES.index("trend")
    for seed in range(2000):
        offered = rows(seed)
        ranker.learn(offered, np.eye(5)[np.abs(offered[:, told] - 1).argmin()], NONE)
    mean, spread, effect = ranker.effects()
    assert abs(mean[told]) < 0.1
    assert abs(spread[told] - 1) < 0.1
    assert effect[told] == max(effect)
    assert Ranker(FEATURES).effects()[2].tolist() == [0.0] * len(FEATURES)


def test_a_category_that_is_bought_gains_on_the_others() -> None:
    ranker, kinds = Ranker(FEATURES), np.array([0, 1, 2, 1, 2])
    for _ in range(50):
        ranker.learn(np.zeros((5, len(FEATURES))), np.array([0, 0.5, 0, 0.5, 0]), kinds)
    scores = ranker.score(np.zeros((5, len(FEATURES))), kinds)
    assert scores[1] == scores[3] > scores[0]
    assert scores[1] > scores[2]


def test_a_list_of_which_nothing_was_bought_teaches_nothing() -> None:
    ranker = Ranker(FEATURES)
    ranker.learn(rows(1), np.zeros(5), NONE)
    assert ranker.weights.values.tobytes() == Ranker(FEATURES).weights.values.tobytes()


def test_shares_sum_to_one_however_large_the_scores() -> None:
    assert softmax(np.array([900.0, 0.0, -900.0])).tolist() == [1.0, 0.0, 0.0]


def written(*models: Any) -> dict[str, dict[str, str]]:
    """Return what some models write, as it would be read."""
    delta = Delta()
    for model in models:
        model.dump(delta, {"": 0, "tea": 1}) if isinstance(model, Ranker) else model.dump(delta)
    return {key: {name: str(value) for name, value in fields.items()} for key, fields in delta.fields.items()}


def test_what_is_written_and_read_again_goes_on_as_if_it_had_not_stopped() -> None:
    ranker, watch = Ranker(FEATURES, averaged=100), Watch()
    kinds = np.array([0, 1, 0, 1, 1])
    for seed in range(20):
        ranker.learn(rows(seed), np.eye(5)[seed % 5], kinds)
        watch.learn_one(0.1 * (seed % 3), "2017-03-01", seed)
    maps = written(ranker, watch)
    fresh, again, numbers = Ranker(FEATURES, averaged=100), Watch(), {"": 0, "bread": 1}
    fresh.load(maps, numbers)
    again.load(maps)
    assert numbers["tea"] == 2
    assert fresh.weights.values.tobytes() == ranker.weights.values.tobytes()
    assert fresh.score(rows(99), kinds * 2).tobytes() == ranker.score(rows(99), kinds).tobytes()
    assert (again.sum, again.count, again.means) == (watch.sum, watch.count, watch.means)


def test_the_state_of_other_features_is_refused() -> None:
    ranker = Ranker(FEATURES)
    ranker.learn(rows(1), np.eye(5)[0])
    with pytest.raises(ValueError, match="other features"):
        Ranker(FEATURES[1:]).load(written(ranker), {"": 0})


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
    watch = Watch()
    watch.raised[7] = "{}"
    assert written(watch)[ALARMS] == {"7": "{}"}
