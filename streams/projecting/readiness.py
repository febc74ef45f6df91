"""Whether the read models in a Redis may be written: nothing evicts them, nothing is lost, and each fold's version fits.

A fold that begins at the log's start over keys that are there already would count everything twice.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence

import redis

from infra.errors import Misconfigured
from infra.redis.checkpoints import checkpoint_key, copy_key
from infra.redis.digest import pages
from infra.redis.views import Views
from streams.projecting.loaders import Fold, fold_name

log = logging.getLogger(__name__)

NO_EVICTION = "noeviction"
ALLOW = "REDIS_ALLOW_EVICTION=yes"


def eviction_problems(client: redis.Redis) -> list[str]:
    """Return why this Redis may lose, or has lost, keys of the read models: a sentence each."""
    memory, stats = client.info("memory"), client.info("stats")
    problems = []
    if (policy := memory.get("maxmemory_policy", NO_EVICTION)) != NO_EVICTION:
        problems.append(
            f"Redis may evict keys (maxmemory-policy is {policy}), and read models that lost keys are wrong: set it to "
            f"{NO_EVICTION}, or set {ALLOW} to write all the same."
        )
    if evicted := int(stats.get("evicted_keys", 0)):
        problems.append(
            f"Redis has evicted {evicted:,} keys since it started, so read models may be wrong: empty this Redis, restart it "
            f"with {NO_EVICTION} and enough memory, and run `regulars follow --once`; or set {ALLOW} to write all the same."
        )
    return problems


def refuse_eviction(client: redis.Redis, allowed: bool) -> None:
    """Raise :class:`Misconfigured` if Redis may evict keys, or has; log it if that is ``allowed``."""
    problems = eviction_problems(client)
    if problems and not allowed:
        raise Misconfigured(problems[0])
    for problem in problems:
        log.warning(problem)


def fitting_folds(views: Views, folds: Iterable[Fold], sources: Collection[str]) -> list[Fold]:
    """Return the folds that may be fed from these sources, and log the others: Redis serves an earlier version of these.

    A fold whose keys are gone as well begins anew. Raises :class:`Misconfigured` if its keys are there, and neither its
    checkpoints nor their copies.
    """
    every = list(folds)
    new = unbegun(views, every, sources)
    if not new:
        return every
    parts, begun = held_by(views)
    unfit: list[Fold] = []
    for fold in unbegun(views, new, sources):
        name = fold_name(fold)
        if parts.isdisjoint(fold.parts):
            views.client.delete(*(views.key(copy_key(name, source)) for source in sources))
        elif name not in begun:
            unfit.append(fold)
    for fold in unfit:
        name = fold_name(fold)
        earlier = sorted(one for one in begun if one.partition(".")[0] == fold.name)
        if not earlier:
            raise Misconfigured(
                f"Redis holds read models of {fold.name}, and no checkpoint of {name} says how far they are: folding on would "
                "count events twice. Restore a backup of this Redis, or empty it and run `regulars follow --once`."
            )
        older = int(earlier[-1].partition(".")[2]) > fold.version
        remedy = "upgrade Regulars" if older else f"run `regulars replay {fold.name}` to make them anew"
        log.warning(
            "Redis holds read models of %s, made by %s; this program has %s. They are served as they are, and this program "
            "does not keep them up: %s.",
            fold.name,
            earlier[-1],
            name,
            remedy,
        )
    return [fold for fold in every if fold not in unfit]


def unbegun(views: Views, folds: Sequence[Fold], sources: Collection[str]) -> list[Fold]:
    """Return the folds that have no checkpoint in any of the sources."""
    pairs = [(fold_name(fold), source) for fold in folds for source in sources]
    held = views.client.mget([views.key(checkpoint_key(*pair)) for pair in pairs]) if pairs else []
    begun = {name for (name, _), at in zip(pairs, held, strict=True) if at is not None}
    return [fold for fold in folds if fold_name(fold) not in begun]


def held_by(views: Views) -> tuple[set[str], set[str]]:
    """Return what the first parts of all keys are, and which folds have a checkpoint; reads the names of all keys."""
    parts: set[str] = set()
    begun: set[str] = set()
    for keys in pages(views):
        for key in keys:
            part, _, rest = key.partition(":")
            if part == "checkpoint":
                begun.add(rest.removeprefix("copy:").partition(":")[0])
            else:
                parts.add(part)
    return parts, begun
