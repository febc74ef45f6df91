"""A topic of one partition without a broker: records of a log's rows, as they lie in Kafka, and who folds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from aggregates.value import replace
from infra.codec import Codec, key_of
from infra.event_log.types import Row
from infra.kafka.envelope import wrap
from infra.redis.views import Views
from models.learner import Learner
from projections.projection import Projection
from streams.kafka.worker.partition import Partition, Record
from streams.projecting.loaders import loader_of
from streams.projecting.projector import Projector
from streams.registry import DOMAIN, EVENTS, carried, folds, sources
from tests.redis_content import content
from tests.shop import TERMS

TOPIC_ID = "AAAA"


@dataclass(frozen=True)
class Lying:
    """A record. ``value``: as it lies there, which may be anything."""

    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class DeadLettered:
    offset: int
    fold: str
    reason: str


@dataclass
class Worker:
    """Who folds a topic into a Redis. ``broken``: folds in place of others, by name. ``dead_lettered``: what it set aside."""

    views: Views
    codec: Codec
    topic: str = DOMAIN
    topic_id: str = TOPIC_ID
    broken: Mapping[str, Projection] = field(default_factory=dict)
    dead_lettered: list[DeadLettered] = field(default_factory=list)

    def partition(self) -> Partition:
        """A new one, which knows nothing but what Redis says."""
        feeds = [
            loader_of(self.broken.get(fold.name, fold), TERMS.zone, self.views, events)
            for fold in folds(TERMS)
            if (events := sources(fold).get(self.topic)) is not None
        ]
        return Partition(
            Projector(self.views, feeds, f"{self.topic}:0"), self.views, self.codec, self.topic_id, self.dead_letter
        )

    def dead_letter(self, record: Record, fold: str, reason: str) -> None:
        self.dead_lettered.append(DeadLettered(record.offset, fold, reason))


def records(rows: Iterable[Row], topic: str = DOMAIN) -> list[Lying]:
    """What the relay makes of a log's rows."""
    names = {name for event in carried(TERMS)[topic] for name in EVENTS[event].stored_names}
    mine = (row for row in rows if row.name in names)
    return [Lying(offset, key_of(row.state).encode(), wrap(row)) for offset, row in enumerate(mine)]


def laid(*parts: Sequence[Lying], start: int = 0) -> list[Lying]:
    """Records one after the other, from an offset on."""
    return [replace(record, offset=offset) for offset, record in enumerate((r for part in parts for r in part), start)]


def read_models(client: redis.Redis) -> dict[str, Any]:
    """What Redis holds but for how far anybody has come."""
    return {key: held for key, held in content(client).items() if not key.startswith(("v1:checkpoint:", "regulars:"))}


def without(held: Mapping[str, Any], *folds_left_out: Projection | type[Learner]) -> dict[str, Any]:
    """Read models but for those of some folds."""
    parts = {part for fold in folds_left_out for part in fold.parts}
    return {key: value for key, value in held.items() if key.split(":")[1] not in parts}


def of(held: Mapping[str, Any], fold: Projection) -> dict[str, Any]:
    """Read models of one fold."""
    return {key: value for key, value in held.items() if key.split(":")[1] in fold.parts}


class Image:
    """All that a Redis holds, to be put back later, as a restore from a backup or a failover does."""

    def __init__(self, client: redis.Redis) -> None:
        self._held = {key: client.dump(key) or b"" for key in client.scan_iter(count=1000)}

    def restore(self, client: redis.Redis) -> None:
        client.flushall()
        for key, held in self._held.items():
            client.restore(key, 0, held)
