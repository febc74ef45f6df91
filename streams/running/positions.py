"""How far each fold has come and how far it is behind the log, whether topics or the log feed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from infra.event_log.types import RelayCheckpoint
from streams.projecting.loaders import Fold, fold_name
from streams.registry import folds, sources
from streams.running.app import App


@dataclass(frozen=True)
class FoldPosition:
    """``source``: a topic, or the log. ``position``: everything up to it is folded. ``behind``: events, 0 at the head."""

    fold: str
    source: str
    position: int
    behind: int


def fold_positions(app: App) -> list[FoldPosition]:
    """Return the position of each fold in each of its sources."""
    head = app.log.head()  # read first: a fold that has reached it is not behind
    app = app.refreshed()
    if app.feed == "topics":
        return list(positions_in_topics(app, head))
    held = app.views.positions([fold_name(fold) for fold in folds(app.terms)])
    return [FoldPosition(fold, "the log", at, max(0, head - at)) for fold, at in held.items()]


def positions_in_topics(app: App, head: int) -> Iterator[FoldPosition]:
    relayed = app.log.relayed()
    for fold in folds(app.terms):
        for topic in sources(fold):
            yield position_in_topic(app, fold, topic, relayed.get(topic), head)


def position_in_topic(app: App, fold: Fold, topic: str, relayed: RelayCheckpoint | None, head: int) -> FoldPosition:
    name = fold_name(fold)
    if relayed is None:
        return FoldPosition(name, topic, 0, head)
    pairs = [(name, f"{topic}:{number}") for number in range(len(relayed.ends))]
    places = app.views.checkpoints(pairs).values()
    missing = [max(0, end - place.next_offset(relayed.topic_id)) for end, place in zip(relayed.ends, places, strict=True)]
    whole = [place.position for place, lag in zip(places, missing, strict=True) if lag]
    position = min([relayed.position, *whole])
    return FoldPosition(name, topic, min(position, head), sum(missing) + max(0, head - relayed.position))
