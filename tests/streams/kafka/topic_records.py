"""A topic of one partition without a broker: a log's rows as Kafka would hold them, and a worker that takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis

from aggregates.decider import Recorded
from aggregates.value import replace
from infra.codec import Codec, key_of
from infra.event_log.types import Row
from infra.kafka.records import to_record
from infra.redis.views import Views
from models.learner import Learner
from projections.projection import DocumentFold, Projection
from streams.kafka.worker.partition import Partition, Record
from streams.projecting.dispatch import Dispatch
from streams.projecting.loaders import loader_of
from streams.projecting.projector import Projector
from streams.registry import BEHAVED, DOMAIN, EVENTS, LEARNING, carried, folds, sources
from tests.redis_content import content
from tests.shop import TERMS

TOPIC_ID = "AAAA"

every_topic = pytest.mark.parametrize("name", [DOMAIN, BEHAVED, LEARNING])


@dataclass(frozen=True)
class StoredRecord:
    """A record as Kafka holds it. ``value``: any bytes."""

    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class DeadLettered:
    offset: int
    fold: str
    reason: str


@dataclass
class WorkerOfTopic:
    """Projects a topic into a Redis. ``broken``: folds in place of others, by name. ``dead_lettered``: what it set aside."""

    views: Views
    codec: Codec
    topic: str = DOMAIN
    topic_id: str = TOPIC_ID
    broken: Mapping[str, Projection] = field(default_factory=dict)
    dead_lettered: list[DeadLettered] = field(default_factory=list)

    def partition(self, number: int = 0) -> Partition:
        """Return a new partition, which knows nothing but what Redis says."""
        loaders = [
            loader_of(self.broken.get(fold.name, fold), TERMS.zone, self.views, events)
            for fold in folds(TERMS)
            if (events := sources(fold).get(self.topic)) is not None
        ]
        projector = Projector(self.views, loaders, f"{self.topic}:{number}")
        return Partition(projector, self.views, self.codec, self.topic_id, self.dead_letter)

    def dead_letter(self, record: Record, fold: str, reason: str) -> None:
        self.dead_lettered.append(DeadLettered(record.offset, fold, reason))


def records(rows: Iterable[Row], topic: str = DOMAIN) -> list[StoredRecord]:
    """Return the records that the relay makes of a log's rows."""
    names = {name for event in carried(TERMS)[topic] for name in EVENTS[event].stored_names}
    mine = (row for row in rows if row.name in names)
    return [StoredRecord(offset, key_of(row.state).encode(), to_record(row)) for offset, row in enumerate(mine)]


def renumbered(*parts: Sequence[StoredRecord], start: int = 0) -> list[StoredRecord]:
    """Return records one after the other, from an offset on."""
    return [replace(record, offset=offset) for offset, record in enumerate((r for part in parts for r in part), start)]


def take_all(partition: Partition, stored: Sequence[StoredRecord], size: int = 200) -> None:
    for at in range(0, len(stored), size):
        partition.take(stored[at : at + size])


def dispatch_topic(views: Views, topic: str, history: Sequence[Recorded]) -> None:
    """Project a history by the embedded mode's dispatch, with the folds and events of one topic."""
    every = folds(TERMS)
    loaders = [loader_of(fold, TERMS.zone, views, sources(fold)[topic]) for fold in every if topic in sources(fold)]
    Dispatch(views, loaders).dispatch(history)


def failing_over(fold: Projection, *positions: int) -> Projection:
    """Return a fold that fails over some events. A tally does not see positions, so it fails over their instants instead."""
    if isinstance(fold, DocumentFold):
        genuine: Any = fold.project

        def project(before: Any, event: Any, position: int) -> Any:
            if position in positions:
                raise ZeroDivisionError("a fault of the fold")
            return genuine(before, event, position)

        return replace(fold, project=project)
    counted = fold.project

    def add(delta: Any, event: Any) -> None:
        if event.at in positions:
            raise ZeroDivisionError("a fault of the fold")
        counted(delta, event)

    return replace(fold, project=add)


def read_models(client: redis.Redis) -> dict[str, Any]:
    """Return what Redis holds except checkpoints."""
    return {key: held for key, held in content(client).items() if not key.startswith(("v1:checkpoint:", "regulars:"))}


def without(held: Mapping[str, Any], *left_out: Projection | type[Learner]) -> dict[str, Any]:
    """Return read models except those of some folds."""
    parts = {part for fold in left_out for part in fold.parts}
    return {key: value for key, value in held.items() if key.split(":")[1] not in parts}


def of_fold(held: Mapping[str, Any], fold: Projection) -> dict[str, Any]:
    """Return the read models of one fold."""
    return {key: value for key, value in held.items() if key.split(":")[1] in fold.parts}


class Image:
    """All that a Redis holds, to be put back later, as a restore from a backup or a failover does."""

    def __init__(self, client: redis.Redis) -> None:
        keys = list(client.scan_iter(count=1000))
        with client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.dump(key)
            self._held = dict(zip(keys, pipe.execute(), strict=True))

    def restore(self, client: redis.Redis) -> None:
        client.flushall()
        with client.pipeline(transaction=False) as pipe:
            for key, held in self._held.items():
                pipe.restore(key, 0, held)
            pipe.execute()
