"""Whether everything that is in the log is in the read models: each checkpoint at its partition's end, and equal digests."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from infra.codec import key_of
from infra.kafka.records import partition_of
from infra.redis.digest import digests
from infra.redis.views import Views
from streams.kafka.topics import PARTITIONS, carried
from streams.projecting.dispatch import Dispatch
from streams.projecting.follower import Followed, Follower
from streams.projecting.loaders import fold_name, loader_of
from streams.registry import LEARNING, fold_of_part, folds, sources
from streams.running.app import App

PAGE = 10_000  # rows
PATIENCE = 120.0  # seconds


def checkpoints(app: App) -> dict[tuple[str, str], int]:
    """The position of each fold in each partition of each topic that feeds it."""
    found: dict[tuple[str, str], int] = {}
    for topic in carried():
        readers = [fold_name(fold) for fold in folds(app.terms) if topic in sources(fold)]
        for number in range(1 if topic == LEARNING else PARTITIONS):
            source = f"{topic}:{number}"
            found |= {(fold, source): place.position for fold, place in app.views.checkpoints_in(source, readers).items()}
    return found


def ends(app: App) -> dict[str, int]:
    """The position of the last event that each partition should have been given."""
    carries, last, position = carried(), dict[str, int](), 0
    while rows := app.log.since(position, PAGE):
        for row in rows:
            for topic, names in carries.items():
                if row.name in names:
                    number = 0 if topic == LEARNING else partition_of(key_of(row.state).encode(), PARTITIONS)
                    last[f"{topic}:{number}"] = row.position
        position = rows[-1].position
    return last


def lacking(app: App, wanted: Mapping[str, int]) -> Iterator[str]:
    """The folds that have not come to the end of a partition."""
    for (fold, source), position in checkpoints(app).items():
        if position < wanted.get(source, 0):
            yield f"{fold} stands at {position:,} in {source}, which ends at {wanted[source]:,}"


def wait(app: App) -> list[str]:
    """What is still lacking after a time that is more than enough; nothing, if all is well."""
    wanted, deadline = ends(app), time.monotonic() + PATIENCE
    while (lacks := list(lacking(app, wanted))) and time.monotonic() < deadline:
        time.sleep(0.2)
    return lacks


def different(app: App, version: str = "embedded") -> list[str]:
    """The folds whose content is not what folding the log in one process makes of it."""
    views = Views(app.views.client, version)
    dispatch = Dispatch(views, [loader_of(fold, app.terms.zone, views) for fold in folds(app.terms)])
    Follower(app.log, lambda: Followed(dispatch), complete=False).catch_up()
    owners = fold_of_part(app.terms)
    streamed, embedded = digests(app.views, owners), digests(views, owners)
    return [fold for fold in streamed if streamed[fold] != embedded[fold]]
