"""How far topics reach: the first and the end offset of each partition, and the last record before the end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec

from infra.errors import Unreachable

TAIL_TIMEOUT = 30.0  # seconds to read the last records of all partitions


def end_offsets(admin: KafkaAdminClient, partitions: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Of topics with so many ``partitions``: each partition's next offset."""
    return offsets(admin, partitions, OffsetSpec.LATEST)


def first_offsets(admin: KafkaAdminClient, partitions: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Each partition's first offset; the end's if it is empty."""
    return offsets(admin, partitions, OffsetSpec.EARLIEST)


def offsets(admin: KafkaAdminClient, partitions: Mapping[str, int], which: Any) -> dict[str, tuple[int, ...]]:
    asked = {TopicPartition(name, number): which for name, count in partitions.items() for number in range(count)}
    found = admin.list_partition_offsets(asked) if asked else {}
    return {
        name: tuple(found[TopicPartition(name, number)].offset for number in range(count)) for name, count in partitions.items()
    }


def last_records(consumer: KafkaConsumer, ends: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], tuple[bytes, bytes]]:
    """Key and value of the record right before each end offset. Raises :class:`Unreachable` if one is not told in time."""
    places = {TopicPartition(*place): end for place, end in ends.items()}
    consumer.assign(list(places))
    for place, end in places.items():
        consumer.seek(place, end - 1)
    found: dict[tuple[str, int], tuple[bytes, bytes]] = {}
    deadline = time.monotonic() + TAIL_TIMEOUT
    while len(found) < len(places):
        if time.monotonic() > deadline:
            raise Unreachable(f"Kafka does not tell the last records of {sorted(set(ends) - set(found))}.")
        found |= first_of_each(consumer.poll(timeout_ms=200, max_records=None).items())
    return found


def first_of_each(polled: Iterable[tuple[TopicPartition, list[Any]]]) -> dict[tuple[str, int], tuple[bytes, bytes]]:
    return {(place.topic, place.partition): (records[0].key or b"", records[0].value or b"") for place, records in polled}
