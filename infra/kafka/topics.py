"""Topics: declare and compare them, find how far they reach, and read a compacted one as a table.

No topic is ever changed or removed here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, OffsetSpec
from kafka.errors import TopicAlreadyExistsError

from infra.errors import Misconfigured, Unreachable
from infra.kafka.clients import REQUEST_TIMEOUT_MS, consumer_client, kafka_python_options, translate_kafka_errors
from infra.kafka.settings import KafkaSettings

MOST_COPIES = 3
DAY = 86_400_000  # milliseconds


@dataclass(frozen=True)
class Topic:
    """``retention``: days, None for ever. ``largest``: bytes of a batch. ``compacted``: keeps the latest record of each key."""

    name: str
    partitions: int
    retention: int | None = None
    largest: int = 16 * 2**20
    compacted: bool = False

    def configuration(self, replication: int) -> dict[str, str]:
        """Return the topic's configuration. A record counts as written when all but one copy have it.

        The broker dates records: with a relay's wrong clock, it would refuse them, or delete them as too old.
        """
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention * DAY if self.retention else -1),
            "max.message.bytes": str(self.largest),
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": str(max(1, replication - 1)),
        }


def ensure_topics(
    admin: KafkaAdminClient, topics: Iterable[Topic], replication: int | None = None
) -> dict[str, dict[str, str]]:
    """Create the missing topics and check the others. Return for each the harmless differences: setting → the broker's value.

    Raises :class:`Misconfigured` if a topic has another number of partitions.
    """
    wanted = {topic.name: topic for topic in topics}
    found = partition_counts(admin, wanted)
    missing = [topic for name, topic in wanted.items() if name not in found]
    if missing:
        create(admin, missing, replication or min(MOST_COPIES, len(admin.describe_cluster()["brokers"])))
        found = partition_counts(admin, wanted)
    for name, count in found.items():
        if count != wanted[name].partitions:
            raise Misconfigured(
                f"The topic {name} has {count} partitions instead of {wanted[name].partitions}, which would split "
                "events of one key: stop relay and workers, delete the topic, and run `regulars relay`, which creates it again."
            )
    return find_differences(admin, wanted)


def create(admin: KafkaAdminClient, topics: Sequence[Topic], replication: int) -> None:
    asked = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": replication,
            "configs": topic.configuration(replication),
        }
        for topic in topics
    }
    with contextlib.suppress(TopicAlreadyExistsError):  # another process was faster; its topic is checked as well
        admin.create_topics(asked)
    admin.wait_for_topics(list(asked))


def find_differences(admin: KafkaAdminClient, wanted: Mapping[str, Topic]) -> dict[str, dict[str, str]]:
    """Return the settings that are not as declared. The number of copies is the operator's choice."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
    told = admin.describe_configs(resources, config_filter="all")["topic"]
    configured = {name: {setting: entry["value"] for setting, entry in told.get(name, {}).items()} for name in wanted}
    return {
        name: {
            setting: configured[name][setting]
            for setting, value in topic.configuration(1).items()
            if setting != "min.insync.replicas" and configured[name].get(setting, value) != value  # one being deleted has none
        }
        for name, topic in wanted.items()
    }


def partition_counts(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    """Return the number of partitions of each topic that exists."""
    return {topic["name"]: len(topic["partitions"]) for topic in describe_topics(admin, names)}


def topic_ids(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, str]:
    """Return the broker's identifier of each topic that exists. A topic that is deleted and created again has another.

    Raises :class:`Unreachable` if the broker is too old to have identifiers.
    """
    found = {topic["name"]: topic.get("topic_id") for topic in describe_topics(admin, names)}
    if None in found.values():
        raise Unreachable("This Kafka has no identifiers of topics: use version 3 or later.")
    return {name: str(identifier) for name, identifier in found.items()}


def describe_topics(admin: KafkaAdminClient, names: Iterable[str]) -> list[dict[str, Any]]:
    return [topic for topic in admin.describe_topics(list(names)) if topic["error_code"] == 0]


LAST_RECORDS_TIMEOUT = 30.0  # seconds to read the last records of all partitions


def end_offsets(admin: KafkaAdminClient, partitions: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Return each partition's next offset. ``partitions``: how many each topic has."""
    return partition_offsets(admin, partitions, OffsetSpec.LATEST)


def first_offsets(admin: KafkaAdminClient, partitions: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Return each partition's first offset; its end offset if it is empty."""
    return partition_offsets(admin, partitions, OffsetSpec.EARLIEST)


def partition_offsets(admin: KafkaAdminClient, partitions: Mapping[str, int], which: Any) -> dict[str, tuple[int, ...]]:
    asked = {TopicPartition(name, number): which for name, count in partitions.items() for number in range(count)}
    found = admin.list_partition_offsets(asked) if asked else {}
    return {
        name: tuple(found[TopicPartition(name, number)].offset for number in range(count)) for name, count in partitions.items()
    }


def last_records(consumer: KafkaConsumer, ends: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], tuple[bytes, bytes]]:
    """Return key and value of the record before each end offset. Raises :class:`Unreachable` if Kafka is too slow."""
    places = {TopicPartition(*place): end for place, end in ends.items()}
    consumer.assign(list(places))
    for place, end in places.items():
        consumer.seek(place, end - 1)
    found: dict[tuple[str, int], tuple[bytes, bytes]] = {}
    deadline = time.monotonic() + LAST_RECORDS_TIMEOUT
    while len(found) < len(places):
        if time.monotonic() > deadline:
            raise Unreachable(f"Kafka does not return the last records of {sorted(set(ends) - set(found))}.")
        found |= first_records(consumer.poll(timeout_ms=200, max_records=None).items())
    return found


def first_records(polled: Iterable[tuple[TopicPartition, list[Any]]]) -> dict[tuple[str, int], tuple[bytes, bytes]]:
    return {(place.topic, place.partition): (records[0].key or b"", records[0].value or b"") for place, records in polled}


T = TypeVar("T")

READ_TIMEOUT = 30.0  # seconds without a record before the end


def read_table(settings: KafkaSettings, topic: str, take: Callable[[str, bytes], T]) -> dict[str, T]:
    """Read a compacted topic of one partition: key → ``take(key, latest value)``, oldest first, up to the present end.

    Raises :class:`Misconfigured` if there is no such topic, :class:`Unreachable` if Kafka does not answer.
    """
    found: dict[str, T] = {}
    with consumer_client(settings, check_crcs=False) as consumer:  # checking them in Python takes a second for a few MiB
        if not consumer.partitions_for_topic(topic):
            raise Misconfigured(f"Kafka at {settings.bootstrap} has no topic {topic}: run `regulars topics`.")
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end, heard = consumer.end_offsets([place])[place], time.monotonic()
        while consumer.position(place) < end:
            for record in consumer.poll(timeout_ms=200).get(place, ()):
                key, heard = (record.key or b"").decode(errors="replace"), time.monotonic()
                found.pop(key, None)
                if record.value is not None:
                    found[key] = take(key, record.value)
            if time.monotonic() - heard > READ_TIMEOUT:
                raise Unreachable(f"Kafka at {settings.bootstrap} does not return what is in {topic}.")
    return found


def delete_key(settings: KafkaSettings, topic: str, key: str) -> None:
    """Delete a key from a compacted topic, and wait until that is written.

    Raises :class:`Unreachable` if Kafka does not answer.
    """
    with translate_kafka_errors(settings):
        producer = KafkaProducer(
            **kafka_python_options(settings), acks="all", max_block_ms=REQUEST_TIMEOUT_MS, request_timeout_ms=REQUEST_TIMEOUT_MS
        )
        try:
            producer.send(topic, key=key.encode(), value=None, partition=0).get(REQUEST_TIMEOUT_MS / 1000)
        finally:
            producer.close(1)
