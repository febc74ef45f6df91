"""What a list is worth against the truth, for one case and over all.

``recall@K``: found / |truth|. ``precision@K``: found / K. ``f1@K``: their harmonic mean. ``ndcg@K``: the ideal takes in the
whole truth; ``ndcg_min@K``: only min(K, |truth|) of it. ``mrr@K``: 1 / the first place found. ``hr@K``: whether any was found.
``recall_repeat@K`` and ``recall_explore@K``: recall of what the member or the visit had before, and of the rest, over the cases
whose truth has such products. ``novelty@K``: the mean of -log2 of a listed product's share of all purchases or acts at that
moment. ``coverage@K``: the share of all products that was listed at least once. ``diversity@K``: 1 - the share of places that
the lists of two cases, one after the other in time, have in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2, nan

import numpy as np

from models.evaluation.cases import Case
from models.evaluation.facts import Floats, Numbers

PER_CASE = (
    *("recall", "precision", "f1", "ndcg", "ndcg_min", "mrr", "hr"),
    *("recall_repeat", "recall_explore", "novelty"),
)
OVER_ALL = ("coverage", "diversity")
BROKEN_DOWN = ("recall", "ndcg", "mrr", "hr")
"""Measures that are also told by the number of earlier baskets, or of earlier acts in the visit."""

BANDS = ((0, 0), (1, 3), (4, 9), (10, 29), (30, 10**9))
"""Numbers of earlier baskets or acts, from and to, that are told apart."""


def measured(listed: Sequence[int], case: Case, cutoff: int) -> list[float]:
    """Return what the first ``cutoff`` places of a list are worth, in the order of :data:`PER_CASE` without novelty."""
    truth, listed = case.truth, listed[:cutoff]
    places = [place for place, product in enumerate(listed) if product in truth]
    found = len(places)
    gain = sum(1 / log2(place + 2) for place in places)
    recall, precision = found / len(truth), found / cutoff
    repeats = len(truth & case.known)
    found_again = sum(listed[place] in case.known for place in places)
    return [
        recall,
        precision,
        2 * recall * precision / (recall + precision) if found else 0.0,
        gain / ideal(len(truth)),
        gain / ideal(min(cutoff, len(truth))),
        1 / (places[0] + 1) if found else 0.0,
        float(found > 0),
        found_again / repeats if repeats else nan,
        (found - found_again) / (len(truth) - repeats) if repeats < len(truth) else nan,
    ]


def ideal(size: int) -> float:
    """Return the gain of a list that begins with so many true products.

    >>> round(ideal(2), 4)
    1.6309
    """
    return sum(1 / log2(place + 2) for place in range(size))


def novelty(listed: Sequence[int], popularity: Numbers, cutoff: int) -> float:
    """Return the mean information, in bits, of the listed products. A product without a buyer counts as if it had one."""
    if not listed:
        return nan
    shares = np.maximum(popularity[list(listed[:cutoff])], 1) / max(1, int(popularity.sum()))
    return float(-np.log2(shares).mean())


@dataclass
class Results:
    """A method's lists by case, and for each cutoff a row a measure of :data:`PER_CASE` and a column a case."""

    lists: list[list[int]]
    values: dict[int, Floats]


@dataclass(frozen=True)
class Figure:
    mean: float
    error: float


def mean_of(values: Floats, owners: Numbers) -> Figure:
    """Return the mean of the cases that have a value, and its standard error when cases of one owner go together.

    Source of the error: the cluster-robust variance of a mean, Σ over owners (Σ of their deviations)² / n².

    >>> mean_of(np.array([1.0, 0.0, 1.0, 0.0]), np.array([0, 1, 2, 3]))
    Figure(mean=0.5, error=0.28867513459481287)
    """
    told = ~np.isnan(values)
    values, owners = values[told], owners[told]
    if not len(values):
        return Figure(nan, nan)
    mean = float(values.mean())
    sums = np.bincount(np.unique(owners, return_inverse=True)[1], values - mean)
    groups = len(sums)
    if groups < 2:
        return Figure(mean, nan)
    return Figure(mean, float(np.sqrt((sums * sums).sum() * groups / (groups - 1)) / len(values)))


def summary(results: Results, cases: Sequence[Case], products: int, ours: Results | None) -> dict[str, object]:
    """Return a method's figures by name: means, standard errors, differences to ``ours``, and by earlier baskets or acts."""
    owners = np.array([case.owner for case in cases], np.int64)
    told: dict[str, object] = {}
    errors: dict[str, float | None] = {}
    differences: dict[str, dict[str, float | None]] = {}
    for cutoff, values in results.values.items():
        for row, measure in enumerate(PER_CASE):
            name, figure = f"{measure}@{cutoff}", mean_of(values[row], owners)
            told[name], errors[name] = number(figure.mean), number(figure.error)
            if ours is not None:
                paired = mean_of(values[row] - ours.values[cutoff][row], owners)
                differences[name] = {"difference": number(paired.mean), "se": number(paired.error)}
        told |= over_all(results.lists, cutoff, products)
    told["se"] = errors
    if ours is not None:
        told["versus_regulars"] = differences
    told["by_earlier"] = by_earlier(results, cases)
    return told


def number(value: float) -> float | None:
    """Return a figure to six places, None if it has no value."""
    return None if np.isnan(value) else round(value, 6)


def over_all(lists: Sequence[Sequence[int]], cutoff: int, products: int) -> dict[str, float | None]:
    cut = [listed[:cutoff] for listed in lists]
    listed_once = {product for listed in cut for product in listed}
    common = [len({*one} & {*other}) / cutoff for one, other in pairwise(cut)]
    return {
        f"coverage@{cutoff}": number(len(listed_once) / products if products else nan),
        f"diversity@{cutoff}": number(1 - sum(common) / len(common) if common else nan),
    }


def by_earlier(results: Results, cases: Sequence[Case]) -> dict[str, dict[str, object]]:
    counts = np.array([len(case.earlier) for case in cases], np.int64)
    bands: dict[str, dict[str, object]] = {}
    for least, most in BANDS:
        among = (counts >= least) & (counts <= most)
        if among.any():
            rows = {PER_CASE.index(measure): measure for measure in BROKEN_DOWN}
            bands[band(least, most)] = {"cases": int(among.sum())} | {
                f"{measure}@{cutoff}": number(float(values[row, among].mean()))
                for cutoff, values in results.values.items()
                for row, measure in rows.items()
            }
    return bands


def band(least: int, most: int) -> str:
    """
    >>> band(0, 0), band(4, 9), band(30, 10**9)
    ('0', '4-9', '30+')
    """
    if least == most:
        return str(least)
    return f"{least}+" if most == BANDS[-1][1] else f"{least}-{most}"


def over_time(
    values: Mapping[int, Floats], cases: Sequence[Case], measure: str, bounds: Iterable[int]
) -> list[dict[str, object]]:
    """Return the mean of a measure at the first cutoff in each period between two ``bounds``, epoch milliseconds."""
    at = np.array([case.at for case in cases], np.int64)
    first = next(iter(values.values()))[PER_CASE.index(measure)]
    edges = list(bounds)
    periods: list[dict[str, object]] = []
    for since, until in pairwise(edges):
        among = (at >= since) & (at < until)
        if among.any():
            periods.append({"from": since, "cases": int(among.sum()), measure: number(float(first[among].mean()))})
    return periods
