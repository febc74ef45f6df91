"""A Redis that does not answer, whose answer is lost, or that was rolled back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import redis

from aggregates.value import replace
from infra.event_log.types import Row
from infra.redis.checkpoints import Checkpoint
from infra.redis.commit import CheckpointedWrite, Refusals
from infra.redis.views import Contents, Keys, Views
from projections.orders import orders
from streams.kafka.worker.partition import OffsetGap
from streams.projecting.loaders import fold_name
from streams.running.app import App
from tests.streams.kafka.topic_records import (
    Image,
    StoredRecord,
    WorkerOfTopic,
    dispatch_topic,
    every_topic,
    failing_over,
    read_models,
    records,
    take_all,
    without,
)


def test_what_a_rolled_back_redis_has_lost_is_read_again(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    partition, client = worker.partition(), worker.views.client
    partition.take(topic[:100])
    image = Image(client)
    partition.take(topic[100:200])
    assert partition.lost_from() is None
    image.restore(client)
    with pytest.raises(OffsetGap, match="was rolled back in Redis: reading again from offset 100"):
        partition.take(topic[200:250])
    partition.take(topic[100:250])
    image.restore(client)
    assert partition.lost_from() == 100, "also where nothing comes"
    assert partition.lost_from() is None, "once"
    client.flushall()
    assert partition.resume() == 0
    take_all(partition, topic)
    assert read_models(client) == whole


class Failing(Views):
    """A Redis whose answer does not come; ``applied``: whether it did what it was asked to."""

    applied: bool
    failing: bool = False

    def read(self, keys: Keys) -> Contents:
        if self.failing and not self.applied:
            raise redis.ConnectionError("no answer")
        return super().read(keys)

    def commit(self, writes: Sequence[CheckpointedWrite]) -> Refusals:
        if not self.failing:
            return super().commit(writes)
        if self.applied:
            super().commit(writes)
        raise redis.ConnectionError("no answer")


@pytest.mark.parametrize("applied", [True, False])
def test_a_chunk_whose_answer_was_lost_is_taken_again_and_counts_once(
    applied: bool, worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    views = Failing(worker.views.client)
    views.applied = applied
    partition = replace(worker, views=views).partition()
    for at in range(0, len(topic), 50):
        views.failing = True
        with pytest.raises(redis.ConnectionError):
            partition.take(topic[at : at + 50])
        views.failing = False
        partition.take(topic[at : at + 50])
    assert read_models(worker.views.client) == whole
    assert worker.dead_lettered == [], "Redis's fault is none of the events'"


class AnswerLost(Views):
    """Its client asks again silently, and ``then`` takes place."""

    then: Callable[[], object] | None = None

    def commit(self, writes: Sequence[CheckpointedWrite]) -> Refusals:
        refusals = super().commit(writes)
        if self.then:
            refusals = super().commit(writes)
            self.then()
            self.then = None
        return refusals


def test_a_rollback_right_after_a_commit_is_noticed(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    views = AnswerLost(worker.views.client)
    partition = replace(worker, views=views).partition()
    partition.take(topic[:100])
    image = Image(views.client)
    partition.take(topic[100:200])
    views.then = partial(image.restore, views.client)
    with pytest.raises(OffsetGap, match="was rolled back in Redis: reading again from offset 100"):
        partition.take(topic[200:250])
    take_all(partition, topic[100:])
    assert read_models(views.client) == whole


def test_a_rollback_while_a_dead_letter_is_written_is_noticed(
    shop: App, worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    bad = [recorded.position for recorded in shop.log.recorded(0, 10**6) if type(recorded.event) in orders.events][-1]

    class Slow(WorkerOfTopic):
        def dead_letter(self, record: Any, fold: str, reason: str) -> None:
            super().dead_letter(record, fold, reason)
            if len(self.dead_lettered) == 1:
                image.restore(self.views.client)

    slow = Slow(worker.views, worker.codec, broken={"orders": failing_over(orders, bad)})
    partition = slow.partition()
    partition.take(topic[:100])
    image = Image(worker.views.client)
    partition.take(topic[100:200])
    with pytest.raises(OffsetGap, match="was rolled back in Redis: reading again from offset 100"):
        partition.take(topic[200:])
    take_all(partition, topic[100:])
    assert [letter.fold for letter in slow.dead_lettered] == [fold_name(orders)] * 2
    assert without(read_models(worker.views.client), orders) == without(whole, orders)


class Overtaken(Views):
    """While it reads, ``meanwhile`` takes place, and is lost again before it writes: Redis fails over to what it was."""

    meanwhile: Callable[[], object] | None = None

    def read(self, keys: Keys) -> Contents:
        if not self.meanwhile:
            return super().read(keys)
        image = Image(self.client)
        self.meanwhile()
        self.meanwhile = None
        contents = super().read(keys)
        image.restore(self.client)
        return contents


@every_topic
def test_documents_read_before_a_rollback_are_not_believed(
    name: str, shop: App, rows: Sequence[Row], client: redis.Redis
) -> None:
    dispatch_topic(Views(client), name, shop.log.recorded(0, 10**6))
    expected, stored = read_models(client), records(rows, name)
    client.flushall()
    views = Overtaken(client)
    worker, other = WorkerOfTopic(views, shop.log.codec, name), WorkerOfTopic(Views(client), shop.log.codec, name)
    overtaken = 0
    for at in range(0, len(stored), 150):
        chunk = stored[at : at + 150]
        partition = worker.partition()
        assert partition.resume() == at, "it knows where Redis stands"
        views.meanwhile = partial(other.partition().take, chunk)
        partition.take(chunk)
        overtaken += views.meanwhile is None
    assert overtaken, "somebody read"
    assert read_models(client) == expected


class Torn(Views):
    """A Redis that holds nothing as long as it is read, and then what it should."""

    torn: bool = False

    def read(self, keys: Keys) -> Contents:
        contents = super().read(keys)
        if not keys.documents or self.torn:
            return contents
        self.torn = True
        stood = {one: (Checkpoint(), after) for one, (_, after) in contents.checkpoints.items()}
        return contents._replace(documents=dict.fromkeys(contents.documents), checkpoints=stood)


def test_documents_read_while_redis_changed_are_not_believed(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    worker.partition().take(topic[:150])
    views = Torn(worker.views.client)
    take_all(replace(worker, views=views).partition(), topic[150:])
    assert views.torn
    assert read_models(worker.views.client) == whole
