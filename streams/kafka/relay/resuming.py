"""Find where a relay resumes, by comparing the topics with the stored checkpoints.

A topic that is new, or was created again, is published from the beginning. If a partition lost its end, the rows after its last
remaining record are published again. A topic with records that are not from this log is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from infra.errors import Misconfigured, Unreachable, Unreadable
from infra.event_log.log import EventLog
from infra.event_log.types import RelayCheckpoint
from infra.kafka.clients import admin_client, consumer_client
from infra.kafka.producer import PartitionId
from infra.kafka.records import from_record, to_record
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, end_offsets, ensure_topics, first_offsets, last_records, topic_ids

LOGGER = logging.getLogger("regulars.relay")


class LeaseLost(Exception):  # noqa: N818 - not an error of this relay
    """Another relay has the lease, or has moved a checkpoint: publish nothing more."""


@dataclass
class ResumePoint:
    """``relayed``: the checkpoints. ``starts``: after which position each partition lacks rows. ``ends``: its end offset."""

    relayed: dict[str, RelayCheckpoint]
    starts: dict[PartitionId, int]
    ends: dict[PartitionId, int]

    @property
    def ids(self) -> dict[str, str]:
        return {topic: entry.topic_id for topic, entry in self.relayed.items()}


def resume(log: EventLog, owner: str, kafka: KafkaSettings, topics: Sequence[Topic], replication: int | None) -> ResumePoint:
    """Create missing topics, and find where to resume each.

    Raises :class:`LeaseLost`, and :class:`Misconfigured` if a topic is another log's.
    """
    counts = {topic.name: topic.partitions for topic in topics}
    with admin_client(kafka) as admin:
        ensure_topics(admin, topics, replication)
        ids, ends = topic_ids(admin, counts), end_offsets(admin, counts)
        if set(ids) != set(counts):
            raise Unreachable(f"Kafka does not know the topics {sorted(set(counts) - set(ids))} yet, or no longer.")
        firsts = first_offsets(admin, counts)
        checkpoints = log.relayed()
        tails = last_positions(log, kafka, find_unexpected_ends(checkpoints, ids, firsts, ends))
        resumed = ResumePoint({}, {}, {(name, number): end for name in counts for number, end in enumerate(ends[name])})
        for name in counts:
            before = checkpoints.get(name)
            if before is None or before.topic_id != ids[name]:
                if before is not None:
                    delete_records(admin, name, firsts[name], ends[name])
                after = RelayCheckpoint(ids[name], 0, ends[name])
                if not log.advance(owner, name, before, after):
                    raise LeaseLost
                LOGGER.info("The topic %s is new: publishing it from the beginning.", name)
            else:
                after = before
            resumed.relayed[name] = after
            for number, end in enumerate(ends[name]):
                lost = end < after.ends[number]
                if lost:
                    LOGGER.warning("Partition %d of %s has lost its end: publishing it again.", number, name)
                resumed.starts[name, number] = tails.get((name, number), 0) if lost else after.position
    return resumed


def find_unexpected_ends(
    checkpoints: Mapping[str, RelayCheckpoint],
    ids: Mapping[str, str],
    firsts: Mapping[str, tuple[int, ...]],
    ends: Mapping[str, tuple[int, ...]],
) -> dict[PartitionId, int]:
    """Return the partitions with records whose end offset is not the stored one, with their actual end offset."""
    found: dict[PartitionId, int] = {}
    for name, now in ends.items():
        before = checkpoints.get(name)
        known = before.ends if before and before.topic_id == ids[name] else (-1,) * len(now)
        found |= {
            (name, number): end
            for number, (first, end, was) in enumerate(zip(firsts[name], now, known, strict=True))
            if first < end != was
        }
    return found


def last_positions(log: EventLog, kafka: KafkaSettings, ends: Mapping[PartitionId, int]) -> dict[PartitionId, int]:
    """Return the position of the last record of each of these partitions.

    Raises :class:`Misconfigured` if a record is not from this log, or from a later state of it.
    """
    if not ends:
        return {}
    with consumer_client(kafka) as consumer:
        found = last_records(consumer, ends)
    return {partition: check_position(log, partition, value) for partition, (_, value) in found.items()}


def check_position(log: EventLog, partition: PartitionId, value: bytes) -> int:
    """Return the position of a record. Raises :class:`Misconfigured` unless the log has the same event there."""
    try:
        position = from_record(value).position
        rows = log.since(position - 1, 1)
    except Unreadable:
        position, rows = 0, []
    if not rows or to_record(rows[0]) != value:
        raise Misconfigured(
            f"The topic {partition[0]} holds records that this log does not: it belongs to another log, or an older "
            "copy of this log was restored. Set another cluster in KAFKA_BOOTSTRAP, or delete the topic to publish it again."
        )
    return position


def delete_records(admin: KafkaAdminClient, name: str, firsts: Sequence[int], ends: Sequence[int]) -> None:
    """Delete what a relay wrote while the topic was created again. It began in the middle; all of it is published again."""
    remaining = {
        TopicPartition(name, number): end for number, (first, end) in enumerate(zip(firsts, ends, strict=True)) if first < end
    }
    if remaining:
        admin.delete_records(remaining)
