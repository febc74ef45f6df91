"""Topics are made as declared, verified ever after, and never changed behind anybody's back."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from aiokafka.partitioner import DefaultPartitioner
from kafka.admin import ConfigResource, ConfigResourceType

from infra.errors import Misconfigured, Unreachable
from infra.kafka.clients import admin_client
from infra.kafka.records import partition_of
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import ensure_topics, topic_ids
from tests.kafka.shelf import Shelf, eventually


def test_topics_are_made_as_declared_and_asking_again_changes_nothing(kafka: KafkaSettings, shelf: Shelf) -> None:
    with admin_client(kafka) as admin:
        nothing_differs = {name: {} for name in shelf.counts}  # type: dict[str, dict[str, str]]
        assert ensure_topics(admin, shelf.topics) == nothing_differs
        ids = topic_ids(admin, shelf.counts)
        assert ensure_topics(admin, shelf.topics) == nothing_differs
        assert topic_ids(admin, shelf.counts) == ids
        name = shelf.topics[0].name
        made = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])["topic"][name]
    as_declared = {
        "retention.ms": "-1",
        "max.message.bytes": "16777216",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "1",
    }
    assert {setting: made[setting]["value"] for setting in as_declared} == as_declared
    assert shelf.ends() == {name: (0,) * count for name, count in shelf.counts.items()}


def test_another_number_of_partitions_is_refused_and_said_what_to_do(kafka: KafkaSettings, shelf: Shelf) -> None:
    with admin_client(kafka) as admin:
        ensure_topics(admin, shelf.topics)
        other = [replace(topic, partitions=topic.partitions + 1) for topic in shelf.topics]
        with pytest.raises(Misconfigured, match=r"has 4 partitions instead of 5.*delete the topic"):
            ensure_topics(admin, other)


def test_what_else_differs_is_told(kafka: KafkaSettings, shelf: Shelf) -> None:
    with admin_client(kafka) as admin:
        ensure_topics(admin, [replace(topic, retention=7) for topic in shelf.topics])
        assert ensure_topics(admin, shelf.topics) == {name: {"retention.ms": "604800000"} for name in shelf.counts}


def test_a_topic_made_anew_has_another_identifier(kafka: KafkaSettings, shelf: Shelf) -> None:
    with admin_client(kafka) as admin:
        ensure_topics(admin, shelf.topics)
        first = topic_ids(admin, shelf.counts)
        name = shelf.topics[0].name
        admin.delete_topics([name])
        eventually(lambda: set(topic_ids(admin, shelf.counts)) == set(shelf.counts) - {name})
        ensure_topics(admin, shelf.topics)
        assert {one for one, identifier in topic_ids(admin, shelf.counts).items() if identifier != first[one]} == {name}


def test_more_copies_than_brokers_are_said_to_be_too_many(kafka: KafkaSettings, shelf: Shelf) -> None:
    with pytest.raises(Unreachable, match="InvalidReplicationFactor"), admin_client(kafka) as admin:
        ensure_topics(admin, shelf.topics, replication=3)


def test_a_key_goes_where_every_client_sends_it() -> None:
    """The third witness is Java's own: the hash of "21" is -973932308."""
    chance = random.Random(5)
    partitions = list(range(16))
    for _ in range(500):
        key = chance.randbytes(chance.randint(0, 30))
        assert partition_of(key, 16) == DefaultPartitioner()(key, partitions, partitions)
    assert partition_of(b"21", 16) == (-973932308 & 0x7FFFFFFF) % 16
