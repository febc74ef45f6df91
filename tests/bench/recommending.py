"""How long a list takes: to compute, and to read as a storefront does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import quantiles

from models.habits import LAST
from models.learner import Learner
from streams import reading
from streams.bootstrap import App


def recommend(app: App) -> Iterator[tuple[str, str, str, str]]:
    members = [key.partition(":")[2] for key in reading.keys_of(app.views, "recommend")]
    learner = restored(app, members)
    now = max(int(learner.repeat.members[member].table[LAST].max()) for member in members)

    def compute(member: str) -> object:
        return learner.listed(member, learner.slots.neighbours(learner.shown[member][:10]), now)

    def read(member: str) -> object:
        return reading.document(app.views, f"recommend:{member}")

    yield ("compute a member's list", *percentiles(compute, members), "p99 ≤ 5 ms")
    yield ("read a member's list from Redis", *percentiles(read, members), "-")


def restored(app: App, members: list[str]) -> Learner:
    """The learner as a restart would bring it back."""
    learner = Learner(app.terms.zone)
    products = {key.partition(":")[2] for part in ("pairs", "once") for key in reading.keys_of(app.views, part)}
    pairs = [f"{part}:{product}" for product in products for part in ("pairs", "once")]
    ranker = ("ranker", "ranker:categories")
    learner.restore(app.views.hashes(["items", "items:names", "learner", *ranker, *pairs, *(f"repeat:{m}" for m in members)]))
    return learner


def percentiles(work: Callable[[str], object], members: list[str]) -> tuple[str, str]:
    times = []
    for member in members:
        begun = time.perf_counter()
        work(member)
        times.append(time.perf_counter() - begun)
    cuts = quantiles(times, n=100)
    return f"{cuts[49] * 1e3:.2f} ms", f"{cuts[98] * 1e3:.2f} ms"
