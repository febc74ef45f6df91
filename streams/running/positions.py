"""How far each fold has come, and how far it is behind the log, whatever feeds it; the log knows of its relay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from infra.event_log.types import Relayed
from streams.projecting.loaders import Fold, fold_name
from streams.registry import folds, sources
from streams.running.app import App


@dataclass(frozen=True)
class Standing:
    """``source``: the topic, or the log. ``position``: up to which it has all. ``behind``: events, 0 at the head."""

    fold: str
    source: str
    position: int
    behind: int


def standings(app: App) -> list[Standing]:
    """A line for each fold and what feeds it."""
    head = app.log.head()  # asked first: who has come as far as this is not behind
    if app.feed == "topics":
        return list(in_topics(app, head))
    held = app.views.positions([fold_name(fold) for fold in folds(app.terms)])
    return [Standing(fold, "the log", at, max(0, head - at)) for fold, at in held.items()]


def in_topics(app: App, head: int) -> Iterator[Standing]:
    relayed = app.log.relayed()
    for fold in folds(app.terms):
        for topic in sources(fold):
            yield in_topic(app, fold, topic, relayed.get(topic), head)


def in_topic(app: App, fold: Fold, topic: str, relayed: Relayed | None, head: int) -> Standing:
    name = fold_name(fold)
    if relayed is None:
        return Standing(name, topic, 0, head)
    pairs = [(name, f"{topic}:{number}") for number in range(len(relayed.ends))]
    places = app.views.checkpoints(pairs).values()
    missing = [max(0, end - place.next_offset(relayed.topic_id)) for end, place in zip(relayed.ends, places, strict=True)]
    whole = [place.position for place, lag in zip(places, missing, strict=True) if lag]
    position = min([relayed.position, *whole])
    return Standing(name, topic, min(position, head), sum(missing) + max(0, head - relayed.position))
