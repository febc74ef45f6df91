"""How long a list takes: to compute, and to read as a storefront does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import fmean, quantiles

import numpy as np

from models.learner import Learner
from models.recommender.items import moment
from streams.queries import views as reading
from streams.running.app import App

BOUGHT = 10  # candidates of those offered


def recommend(app: App) -> Iterator[tuple[str, ...]]:
    """What it is, its mean, median and 99th percentile, and the goal."""
    members = [key.partition(":")[2] for key in reading.keys_of(app.views, "recommend")]
    learner = restored(app, members)
    now = max(learner.repeat.members[member].last for member in members)

    def compute(member: str) -> object:
        return learner.shown(member, now)

    offers = {member: learner.listed(member, moment(now, app.terms.zone)).offer for member in members}

    def rank(member: str) -> None:
        rows, categories = offers[member].rows, learner.items.category_of[offers[member].numbers]
        learner.ranker.score(rows, categories)
        learner.ranker.learn(rows, np.where(np.arange(len(rows)) < BOUGHT, 1 / BOUGHT, 0.0), categories)

    def read(member: str) -> object:
        return reading.document(app.views, f"recommend:{member}")

    yield ("compute a member's list", *times(compute, members), "p99 ≤ 5 ms")
    yield ("of it, rank the candidates; and learn from a basket", *times(rank, members), "mean ≤ 1 ms")
    yield ("read a member's list from Redis", *times(read, members), "-")


def restored(app: App, members: list[str]) -> Learner:
    """The learner as a restart would bring it back."""
    learner = Learner(app.terms.zone)
    for member in members:
        while needed := learner.needs_of_list(member):
            learner.restore(app.views.hashes(needed))
    return learner


def times(work: Callable[[str], object], members: list[str]) -> Iterator[str]:
    taken = []
    for member in members:
        begun = time.perf_counter()
        work(member)
        taken.append(time.perf_counter() - begun)
    cuts = quantiles(taken, n=100)
    return (f"{seconds * 1e3:.2f} ms" for seconds in (fmean(taken), cuts[49], cuts[98]))
