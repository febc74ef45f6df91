"""What a rebuild needs of Redis: keys and memory, estimated from a sample of what is served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.redis.digest import pages
from infra.redis.views import Views
from streams.projecting.loaders import Fold, fold_name
from streams.projecting.readiness import eviction_problems
from streams.running.app import App

SAMPLED_OF_PAGE = 20
"""Keys of each page of the scan whose memory is asked for."""

SPARE = 0.1
"""The share of Redis's memory that a rebuild leaves free."""


@dataclass(frozen=True)
class RebuildNeeds:
    """``size``: bytes of the new keys. ``free``: bytes that Redis may still take, None without a limit.

    ``problem``: a sentence if the rebuild must not begin.
    """

    folds: Sequence[str]
    events: int
    keys: int
    size: int
    free: int | None
    problem: str = ""


def needs_of(app: App, folds: Sequence[Fold]) -> RebuildNeeds:
    """Return what a rebuild of these folds needs."""
    views = app.refreshed().views
    keys, size = size_of(views, {part for fold in folds for part in fold.parts})
    memory = views.client.info("memory")
    limit, used = int(memory.get("maxmemory", 0)), int(memory["used_memory"])
    free = limit - used if limit else None
    problems = [] if app.settings.redis_may_evict else eviction_problems(views.client)
    if free is not None and size > free - SPARE * limit:
        problems.append(
            f"A second version takes about {size / 2**20:,.0f} MiB. Redis may take {free / 2**20:,.0f} MiB more, and a tenth "
            f"of its {limit / 2**20:,.0f} MiB must stay free: raise maxmemory, drop old versions, or rebuild fold by fold."
        )
    return RebuildNeeds([fold_name(fold) for fold in folds], app.log.head(), keys, size, free, problems[0] if problems else "")


def size_of(views: Views, parts: set[str]) -> tuple[int, int]:
    """Return how many keys these parts have, and about how many bytes they take."""
    count, sampled, measured = 0, 0, 0
    for page in pages(views):
        mine = [key for key in page if key.partition(":")[0] in parts]
        count += len(mine)
        pipeline = views.client.pipeline(transaction=False)
        for key in mine[:: max(1, len(mine) // SAMPLED_OF_PAGE)]:
            pipeline.memory_usage(views.key(key))
        for held in pipeline.execute():
            sampled += held is not None
            measured += held or 0
    return count, count * measured // sampled if sampled else 0
