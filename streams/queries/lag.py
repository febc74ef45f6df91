"""Measures how far behind everything is: folds in records by topic and partition, the relay in events, dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kafka import TopicPartition

from infra.kafka.clients import admin_client, consumer_client
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import end_offsets, first_offsets, topic_ids
from streams.kafka.topics import DEAD_LETTERS, broker_settings
from streams.kafka.worker.wiring import fed_topics
from streams.projecting.loaders import fold_name
from streams.registry import folds, sources
from streams.running.app import App

LOG = "log"


@dataclass(frozen=True)
class PartitionLag:
    """How far a fold is in a partition. ``applied``: records before this offset are applied; ``end``: the next offset.

    ``position``: in the log, of the latest event applied, 0 if there is none. ``lag``: records that exist and are not applied.
    If the log itself is the source, offsets are its positions.
    """

    partition: int
    applied: int
    end: int
    position: int
    lag: int


@dataclass(frozen=True)
class FoldLag:
    """How far a fold is in one of its sources."""

    fold: str
    source: str
    partitions: tuple[PartitionLag, ...]

    @property
    def lag(self) -> int:
        return sum(one.lag for one in self.partitions)

    @property
    def position(self) -> int:
        return max((one.position for one in self.partitions), default=0)


@dataclass(frozen=True)
class Lag:
    """How far everything is. ``head``: of the log. ``relayed``: position up to which every topic is published. ``letters``:
    dead letters that wait. Both are None if a follower folds the log itself.
    """

    head: int
    folds: tuple[FoldLag, ...]
    relayed: int | None = None
    letters: int | None = None

    @property
    def unpublished(self) -> int:
        """Return how many events are in no topic yet."""
        return 0 if self.relayed is None else max(0, self.head - self.relayed)

    @property
    def records(self) -> int:
        """Return how many records some fold has not applied yet, each counted once."""
        worst: dict[tuple[str, int], int] = {}
        for fold in self.folds:
            for one in fold.partitions:
                worst[fold.source, one.partition] = max(one.lag, worst.get((fold.source, one.partition), 0))
        return sum(worst.values())


def lag_of(app: App) -> Lag:
    """Return how far everything is. Raises :class:`~infra.errors.Fault` if Kafka does not answer or has no topics."""
    app = app.refreshed()
    if app.feed != "topics":
        return Lag(app.log.head(), tuple(in_log(app)))
    kafka = broker_settings(app.settings)
    counts = fed_topics(app, kafka)
    relayed = app.log.relayed()
    published = min((relayed[topic].position if topic in relayed else 0 for topic in counts), default=0)
    head = app.log.head()
    return Lag(head, tuple(in_topics(app, kafka, counts)), published, waiting_letters(kafka))


def in_log(app: App) -> Iterator[FoldLag]:
    """Yield the folds of a follower."""
    head = app.log.head()
    for fold, at in app.views.positions([fold_name(fold) for fold in folds(app.terms)]).items():
        yield FoldLag(fold, LOG, (PartitionLag(0, at, head, at, max(0, head - at)),))


def in_topics(app: App, kafka: KafkaSettings, counts: Mapping[str, int]) -> Iterator[FoldLag]:
    pairs = [(fold_name(fold), topic) for fold in folds(app.terms) for topic in sources(fold)]
    of = [(fold, f"{topic}:{number}") for fold, topic in pairs for number in range(counts[topic])]
    places = app.views.checkpoints(of)  # read before the ends, so that no checkpoint is ahead of them
    with admin_client(kafka) as admin:
        ids, firsts, ends = topic_ids(admin, counts), first_offsets(admin, counts), end_offsets(admin, counts)
    for fold, topic in pairs:
        found = []
        for number, (first, end) in enumerate(zip(firsts[topic], ends[topic], strict=True)):
            place = places[fold, f"{topic}:{number}"]
            applied = place.next_offset(ids[topic])
            found.append(PartitionLag(number, applied, end, place.position, max(0, end - max(first, applied))))
        yield FoldLag(fold, topic, tuple(found))


def waiting_letters(kafka: KafkaSettings) -> int:
    """Return how many dead letters nobody has retried or dropped: the keys whose latest record is not empty."""
    place = TopicPartition(DEAD_LETTERS, 0)
    with consumer_client(kafka) as consumer:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end, waiting = consumer.end_offsets([place])[place], dict[bytes, bool]()
        while consumer.position(place) < end:
            for records in consumer.poll(timeout_ms=200).values():
                waiting |= {record.key: record.value is not None for record in records}
    return sum(waiting.values())
