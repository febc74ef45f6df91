"""Chunks for Faust on a real broker: acknowledging, delivering again, and rebalancing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError

from infra.kafka.clients import admin_client, kafka_python_options
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, create
from tests.kafka.chunked import SIZE, Taking, taking
from tests.kafka.shelf import eventually

NUMBERS = count(1)


class Counted:
    """A topic of numbers. Its consumers' group has its name."""

    def __init__(self, kafka: KafkaSettings, partitions: int) -> None:
        self.kafka = kafka
        self.name = f"chunked-{next(NUMBERS)}"
        self.partitions = partitions
        self.size = [0] * partitions
        self.started: list[Taking] = []
        with admin_client(kafka) as admin:
            create(admin, [Topic(self.name, partitions)], 1)

    def add(self, records: int, partition: int = 0) -> None:
        producer = KafkaProducer(**kafka_python_options(self.kafka), acks="all")
        for number in range(records):
            producer.send(self.name, b"%d" % number, partition=partition)
        producer.flush()
        producer.close()
        self.size[partition] += records

    def take(self, **asked: object) -> Taking:
        self.started.append(taking(self.kafka.bootstrap, self.name, **asked))
        return self.started[-1]

    def committed(self, partition: int = 0) -> int:
        with admin_client(self.kafka) as admin:
            return committed(admin, self.name).get(TopicPartition(self.name, partition), 0)


def committed(admin: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """What a group has committed; nothing while the broker still makes or loads its own topic for that."""
    with suppress(CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError):
        return {place: found.offset for place, found in admin.list_group_offsets(group)[group].items()}
    return {}


@pytest.fixture
def topic(kafka: KafkaSettings, request: pytest.FixtureRequest) -> Iterator[Counted]:
    """Of one partition, unless a test asks for more."""
    counted = Counted(kafka, getattr(request, "param", 1))
    yield counted
    for one in counted.started:
        one.stop()


def test_acknowledged_chunks_are_committed_and_not_delivered_again(topic: Counted) -> None:
    topic.add(95)
    first = topic.take()
    eventually(lambda: topic.committed() == 95)
    assert set(first.offsets()) == set(range(95))
    assert max(told.last - told.first + 1 for told in first.stop()) <= SIZE
    topic.add(5)
    second = topic.take()
    eventually(lambda: topic.committed() == 100)
    assert set(second.offsets()) == set(range(95, 100))


def test_a_chunk_that_is_not_acknowledged_holds_back_all_behind_it(topic: Counted) -> None:
    topic.add(100)
    first = topic.take(veto=[55])
    eventually(lambda: len(first.offsets()) == 100)
    told = next(told for told in first.told if told.first <= 55 <= told.last)
    eventually(lambda: topic.committed() == told.first)
    first.stop()
    assert topic.committed() == told.first
    second = topic.take()
    eventually(lambda: topic.committed() == 100)
    assert set(second.offsets()) == set(range(told.first, 100))


@pytest.mark.parametrize(("rewind", "begin"), [({"75": 20}, 20), ({"75": 20, "300": 0}, 0)])
def test_a_rewound_partition_is_delivered_again_without_gaps(rewind: dict[str, int], begin: int, topic: Counted) -> None:
    topic.add(400)  # many chunks are on their way when it is asked for, and may ask for more
    first = topic.take(rewind=rewind)
    eventually(lambda: topic.committed() == 400)
    offsets = first.offsets()
    last = len(offsets) - 1 - offsets[::-1].index(begin)
    assert set(offsets[last:]) == set(range(begin, 400))
    assert offsets.count(begin) > 1, "it came again"


def test_a_paused_consumer_goes_on(topic: Counted) -> None:
    topic.add(20)
    first = topic.take(halt=[10])
    eventually(lambda: len(first.offsets()) >= 20)
    topic.add(80)
    eventually(lambda: topic.committed() == 100)
    assert set(first.offsets()) == set(range(100))
    assert first.process.poll() is None


def test_a_chunk_in_hand_at_the_end_is_not_acknowledged(topic: Counted) -> None:
    topic.add(100)
    first = topic.take(hang=[50])
    eventually(lambda: bool(first.told) and first.told[-1].last >= 50)
    held = first.told[-1]
    first.stop()
    assert topic.committed() <= held.first
    second = topic.take()
    eventually(lambda: topic.committed() == 100)
    assert set(second.offsets()) >= set(range(held.first, 100))


def test_reading_begins_at_the_resumed_offset_whatever_was_committed(topic: Counted) -> None:
    topic.add(60)
    first = topic.take()
    eventually(lambda: topic.committed() == 60)
    first.stop()
    second = topic.take(resume={"0": 37})
    eventually(lambda: len(second.offsets()) >= 23)
    assert min(second.offsets()) == 37
    topic.add(10)
    eventually(lambda: topic.committed() == 70)
    assert set(second.offsets()) == set(range(37, 70))


@pytest.mark.parametrize("topic", [3], indirect=True)
def test_partitions_that_change_hands_lose_nothing(topic: Counted) -> None:
    def add(records: int) -> None:
        for partition in range(3):
            topic.add(records, partition)

    def is_at_work(one: Taking) -> bool:
        add(5)
        return bool(one.told)

    first = topic.take()
    eventually(lambda: is_at_work(first))
    second = topic.take()
    eventually(lambda: is_at_work(second))
    add(200)
    first.stop()
    add(200)
    eventually(lambda: [topic.committed(partition) for partition in range(3)] == topic.size)
    for partition, size in enumerate(topic.size):
        assert {*first.offsets(partition), *second.offsets(partition)} == set(range(size))
