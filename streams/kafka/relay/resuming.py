"""Where a relay goes on: what the topics hold is compared with what was written down, and what is missing is found.

A topic made anew is published from the beginning. One that lost its end gets the rows behind the last record that is left of
each partition that did. A topic that holds what this log did not put there is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from infra.errors import Misconfigured, Unreachable, Unreadable
from infra.event_log.log import EventLog
from infra.event_log.types import Relayed
from infra.kafka.clients import administering, consuming
from infra.kafka.envelope import unwrap, wrap
from infra.kafka.offsets import end_offsets, first_offsets, last_records
from infra.kafka.producer import Place
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, declare, topic_ids

TOLD = logging.getLogger("regulars.relay")


class LostLease(Exception):  # noqa: N818 - it has happened
    """Another relay is the one now, or has moved a checkpoint: publish nothing more."""


@dataclass
class Resumed:
    """``relayed``: what is written down. ``starts``: the position behind which each partition lacks rows. ``ends``: offsets."""

    relayed: dict[str, Relayed]
    starts: dict[Place, int]
    ends: dict[Place, int]

    @property
    def ids(self) -> dict[str, str]:
        return {topic: entry.topic_id for topic, entry in self.relayed.items()}


def resume(log: EventLog, owner: str, kafka: KafkaSettings, topics: Sequence[Topic], replication: int | None) -> Resumed:
    """Make topics that are missing, and see where to go on with each.

    Raises :class:`LostLease`; :class:`Misconfigured` for a topic that is another log's.
    """
    counts = {topic.name: topic.partitions for topic in topics}
    with administering(kafka) as admin:
        declare(admin, topics, replication)
        ids, ends = topic_ids(admin, counts), end_offsets(admin, counts)
        if set(ids) != set(counts):
            raise Unreachable(f"Kafka does not know the topics {sorted(set(counts) - set(ids))} yet, or not any more.")
        firsts = first_offsets(admin, counts)
        told = log.relayed()
        tails = last_positions(log, kafka, unexpected(told, ids, firsts, ends))
        resumed = Resumed({}, {}, {(name, number): end for name in counts for number, end in enumerate(ends[name])})
        for name in counts:
            before = told.get(name)
            if before is None or before.topic_id != ids[name]:
                if before is not None:
                    empty(admin, name, firsts[name], ends[name])
                after = Relayed(ids[name], 0, ends[name])
                if not log.advance(owner, name, before, after):
                    raise LostLease
                TOLD.info("The topic %s is new: it is published from the beginning.", name)
            else:
                after = before
            resumed.relayed[name] = after
            for number, end in enumerate(ends[name]):
                lost = end < after.ends[number]
                if lost:
                    TOLD.warning("Partition %d of %s has lost its end: it is published again.", number, name)
                resumed.starts[name, number] = tails.get((name, number), 0) if lost else after.position
    return resumed


def unexpected(
    told: Mapping[str, Relayed],
    ids: Mapping[str, str],
    firsts: Mapping[str, tuple[int, ...]],
    ends: Mapping[str, tuple[int, ...]],
) -> dict[Place, int]:
    """Partitions that hold records and do not end where was written down, and where they do end."""
    found: dict[Place, int] = {}
    for name, now in ends.items():
        before = told.get(name)
        known = before.ends if before and before.topic_id == ids[name] else (-1,) * len(now)
        found |= {
            (name, number): end
            for number, (first, end, was) in enumerate(zip(firsts[name], now, known, strict=True))
            if first < end != was
        }
    return found


def last_positions(log: EventLog, kafka: KafkaSettings, ends: Mapping[Place, int]) -> dict[Place, int]:
    """The position of the last record of each of these partitions.

    Raises :class:`Misconfigured` if one is not of this log, or of a later state of it.
    """
    if not ends:
        return {}
    with consuming(kafka) as consumer:
        found = last_records(consumer, ends)
    return {place: position_here(log, place, value) for place, (_, value) in found.items()}


def position_here(log: EventLog, place: Place, value: bytes) -> int:
    try:
        position = unwrap(value).position
        rows = log.since(position - 1, 1)
    except Unreadable:
        position, rows = 0, []
    if not rows or wrap(rows[0]) != value:
        raise Misconfigured(
            f"The topic {place[0]} holds records that this log does not: it is another log's, or an older copy of this one was "
            "restored. Name another cluster in KAFKA_BOOTSTRAP, or delete the topic to have it published anew."
        )
    return position


def empty(admin: KafkaAdminClient, name: str, firsts: Sequence[int], ends: Sequence[int]) -> None:
    """Remove what a relay that ran while the topic was made anew has put there, from its midst on: all of it comes again."""
    remaining = {
        TopicPartition(name, number): end for number, (first, end) in enumerate(zip(firsts, ends, strict=True)) if first < end
    }
    if remaining:
        admin.delete_records(remaining)
