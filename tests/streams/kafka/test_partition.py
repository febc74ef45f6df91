"""A partition counts every event once, whatever is delivered twice, cut anew or published again."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
import redis

from aggregates.value import replace
from infra.event_log.types import Row
from infra.redis.views import Views
from streams.kafka.worker.partition import OffsetGap
from streams.running.app import App
from tests.streams.kafka.topic_records import (
    StoredRecord,
    WorkerOfTopic,
    dispatch_topic,
    every_topic,
    read_models,
    records,
    renumbered,
    take_all,
)


@every_topic
def test_a_topic_gives_the_read_models_that_the_log_gives(
    name: str, shop: App, rows: Sequence[Row], client: redis.Redis
) -> None:
    dispatch_topic(Views(client), name, shop.log.recorded(0, 10**6))
    expected = read_models(client)
    client.flushall()
    worker = WorkerOfTopic(Views(client), shop.log.codec, name)
    take_all(worker.partition(), records(rows, name), 60)
    assert read_models(client) == expected
    assert worker.dead_lettered == []


@pytest.mark.parametrize("seed", range(8))
def test_no_cut_and_no_kill_changes_what_redis_holds(
    seed: int, worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    random = Random(seed)
    partitions = [worker.partition()]
    at = 0
    while at < len(topic):
        end = min(len(topic), at + random.choice((1, 3, 40, 150)))
        partition = random.choice(partitions)  # the present one, or one that was thought dead
        try:
            partition.take(topic[at:end])
            at = end
        except OffsetGap as behind:
            at = behind.offset
        match random.randrange(4):
            case 0:
                partitions.append(worker.partition())  # killed: another starts with what was last acknowledged
                at = max(0, at - random.randrange(80))
            case 1:
                partitions.append(worker.partition())
            case _:
                pass
    assert read_models(worker.views.client) == whole
    assert worker.partition().resume() == len(topic)


def test_a_chunk_taken_twice_counts_once_and_is_reported_as_skipped(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord]
) -> None:
    partition = worker.partition()
    first = partition.take(topic[:100])
    held = read_models(worker.views.client)
    again = partition.take(topic[:100])
    assert (first.records, first.applied, again.records, again.applied) == (100, 100, 100, 0)
    assert partition.take(topic[50:150]).applied == 50
    assert worker.partition().take(topic[:150]).applied == 0
    worker.views.client.flushall()
    worker.partition().take(topic[:100])
    assert read_models(worker.views.client) == held


def test_nothing_behind_a_gap_is_taken(worker: WorkerOfTopic, topic: Sequence[StoredRecord]) -> None:
    partition = worker.partition()
    with pytest.raises(OffsetGap) as from_nothing:
        partition.take(topic[1:50])
    partition.take(topic[:50])
    held = read_models(worker.views.client)
    for unready in (partition, worker.partition()):
        with pytest.raises(OffsetGap, match=r"goes on at offset 60: reading again from offset 50") as behind:
            unready.take(topic[60:70])
        assert (from_nothing.value.offset, behind.value.offset) == (0, 50)
    assert read_models(worker.views.client) == held


def test_events_of_a_topic_made_anew_are_skipped_as_far_as_they_are_known(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    take_all(worker.partition(), topic[:150])
    anew = replace(worker, topic_id="BBBB").partition()
    assert anew.resume() == 0
    assert anew.take(topic[:140]).applied == 0
    assert anew.resume() == 140, "its own offsets count now"
    take_all(anew, topic[140:], 37)
    assert read_models(worker.views.client) == whole


def test_an_event_published_twice_counts_once(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    twice = renumbered(topic[:150], topic[90:150], topic[90:])
    for size in (1, 64, 10_000):
        worker.views.client.flushall()
        take_all(worker.partition(), twice, size)
        assert read_models(worker.views.client) == whole
        assert worker.partition().resume() == len(twice)


def test_a_topic_that_lost_its_end_and_got_it_again_elsewhere_counts_once(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    take_all(worker.partition(), renumbered(topic[:90], topic[60:150]))  # up to offset 180
    shorter = renumbered(topic[:100], topic[100:])  # and 150 events are in 150 records now
    partition = worker.partition()
    take_all(partition, shorter[90:], 33)  # new events are at offsets that were seen
    assert read_models(worker.views.client) == whole
    assert partition.resume() == len(shorter)


def test_two_workers_of_one_partition_do_no_harm(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    mine, zombie = worker.partition(), worker.partition()
    mine.take(topic[:50])
    zombie.take(topic[:80])
    mine.take(topic[50:120])
    mine.take(topic[120:200])
    assert zombie.take(topic[80:200]).applied == 0 or zombie.resume() == 200
    take_all(zombie, topic[200:])
    take_all(mine, topic[200:])
    assert read_models(worker.views.client) == whole
