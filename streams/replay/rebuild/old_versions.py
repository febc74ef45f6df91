"""What becomes of the version before a switch: it is kept up, to go back to, until it is dropped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.errors import Misconfigured
from infra.redis.checkpoints import LOG
from infra.redis.generations import KEPT, UNFINISHED, Generation, Generations, is_announced_only
from infra.redis.loading import remove_keys
from infra.redis.views import Views
from streams.projecting.loaders import Fold, fold_name
from streams.registry import folds as every_fold
from streams.replay.rebuild.served import served_records
from streams.replay.rebuild.version import VersionRebuild, switch
from streams.running.app import App
from streams.running.positions import fold_positions, sources_of

LOOK, PATIENCE = 0.1, 30.0
"""Seconds between looks at how far workers are, and for how long."""

READERS_MS = 60_000
"""How long after a switch readers may still use the version before it."""

NOTHING_OLD = "No earlier version of {} is kept: there is nothing to {}."


def roll_back(app: App, folds: Sequence[Fold]) -> list[Generation]:
    """Serve the version before the last switch again, and return its records; the other one is kept now.

    Raises :class:`Misconfigured` if there is none of one of these folds, or none that this program can keep up.
    """
    rebuild = VersionRebuild(app, folds)
    with rebuild.leased():
        records = rebuild.generations.all()
        served = served_records(app.refreshed().views, folds, records)
        back: list[Generation] = []
        for fold in folds:
            mine = [one for one in records if one.name == fold.name and one.state == "old"]
            fitting = [one for one in mine if one.fold == fold_name(fold)]
            if not fitting:
                held = ", ".join(one.fold for one in mine)
                raise Misconfigured(
                    f"{held} is kept, which this program ({fold_name(fold)}) cannot keep up: go back with the one that can."
                    if mine
                    else NOTHING_OLD.format(fold.name, "go back to")
                )
            back.append(max(fitting, key=lambda one: one.since))
        by_version: dict[str, list[Generation]] = {}
        for record in back:
            by_version.setdefault(record.version, []).append(record)

        def catch_up() -> None:
            for version, some in by_version.items():
                names = {one.name for one in some}
                VersionRebuild(app, [fold for fold in folds if fold.name in names]).catch_up(version)

        if rebuild.with_workers:
            wait_for_workers(app)
        sources = {fold.name: sources_of(app, fold) for fold in folds}
        switch(rebuild.generations, [(record, served.get(record.name)) for record in back], sources, catch_up)
    return back


def wait_for_workers(app: App) -> None:
    """Wait until workers have taken all that the log has now: a version may have been filled from the log, ahead of them.

    Raises :class:`Misconfigured` if they do not.
    """
    head, until = app.log.head(), time.monotonic() + PATIENCE
    while min(fold.position for fold in fold_positions(app)) < head:
        if time.monotonic() > until:
            raise Misconfigured("The workers are behind the log: nothing was switched. Are the relay and a worker running?")
        time.sleep(LOOK)


def droppable(app: App, folds: Sequence[Fold], unfinished: bool) -> list[Generation]:
    """Return the versions of these folds that are neither served nor, unless ``unfinished``, being filled."""
    names = {fold.name for fold in folds}
    states: set[str] = {"old", "dropping", *(UNFINISHED if unfinished else ())}
    found = [one for one in Generations(app.views.client).all() if one.name in names and one.state in states]
    served = app.refreshed().views.versions
    return [one for one in found if served.version_of(one.parts[0]) != one.version]


def still_read(app: App, records: Sequence[Generation]) -> float:
    """Return for how many seconds readers may still use one of these versions; 0 if none does."""
    seconds, _ = app.views.client.time()
    since = max((one.since for one in records if one.state == "old"), default=0)
    return max(0.0, (since + READERS_MS) / 1000 - float(seconds))


def drop(app: App, records: Sequence[Generation], progress: Callable[[Generation, int], None] = lambda *_: None) -> int:
    """Remove these versions, a few keys at a time, and return how many keys there were. A drop that was killed goes on."""
    generations = Generations(app.views.client)
    sources = {fold.name: sources_of(app, fold) for fold in every_fold(app.terms)}
    removed = 0
    for record in records:
        generations.take([record.name])
        try:
            generations.close(record, [LOG, *sources[record.name]])
            count = remove_keys(app.views.client, record.version, record.parts)
            generations.forget(record)
            progress(record, count)
            removed += count
        finally:
            generations.release([record.name])
    return removed


def old_readers_lose(app: App) -> bool:
    """Return whether readers that know of `regulars:version` alone read a version that is not served in every part."""
    return not is_announced_only(app.views.client)


@dataclass(frozen=True)
class VersionRow:
    """One fold in one version, for people. ``position``: the lowest of its checkpoints, None if there is none."""

    version: str
    fold: str
    state: str
    position: int | None
    since: int


def version_rows(app: App, folds: Sequence[Fold]) -> Iterator[VersionRow]:
    """Yield every version of every fold that Redis holds."""
    records = Generations(app.views.client).all()
    served = served_records(app.refreshed().views, folds, records)
    by_name = {fold.name: fold for fold in folds}
    known: Mapping[tuple[str, str], Generation] = {(one.version, one.fold): one for one in [*served.values(), *records]}
    for record in known.values():
        if record.name not in by_name:
            continue
        position = None
        if record.state in KEPT:
            position = reached(app, record, by_name[record.name])
        yield VersionRow(record.version, record.fold, record.state, position, record.since)


def reached(app: App, record: Generation, fold: Fold) -> int:
    """Return the position of the latest event that a fold has taken in a version, in whichever partition that was."""
    pairs = [(record.fold, source) for source in sources_of(app, fold)]
    return max((place.position for place in Views(app.views.client, record.version).checkpoints(pairs).values()), default=0)
