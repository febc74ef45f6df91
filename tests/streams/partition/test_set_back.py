"""A Redis that answers no more, does not tell what it did, or holds less than it held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import redis

from aggregates.value import replace
from infra.event_log.types import Row
from infra.redis.asking import Answer, Ask
from infra.redis.checkpoints import Checkpoint
from infra.redis.views import Views
from projections.orders import orders
from streams.kafka.worker.partition import OffsetGap
from streams.projecting.loaders import fold_name
from streams.running.app import App
from tests.streams.partition.taking import dispatch, every_topic, refusing, take_all
from tests.streams.shelved import Image, Lying, Worker, read_models, records, without


def test_what_a_redis_that_was_set_back_has_lost_is_read_again(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    partition, client = worker.partition(), worker.views.client
    partition.take(topic[:100])
    image = Image(client)
    partition.take(topic[100:200])
    assert partition.set_back() is None
    image.restore(client)
    with pytest.raises(OffsetGap, match="was set back in Redis: reading again from offset 100"):
        partition.take(topic[200:250])
    partition.take(topic[100:250])
    image.restore(client)
    assert partition.set_back() == 100, "also where nothing comes"
    assert partition.set_back() is None, "once"
    client.flushall()
    assert partition.resume() == 0
    take_all(partition, topic)
    assert read_models(client) == whole


class Failing(Views):
    """A Redis whose answer does not come; ``applied``: whether it did what it was asked to."""

    applied: bool
    failing: bool = False

    def exchange(self, ask: Ask) -> Answer:
        if self.failing and not self.applied:
            raise redis.ConnectionError("no answer")
        answer = super().exchange(ask)
        if self.failing and ask.steps:
            raise redis.ConnectionError("the answer is lost")
        return answer


@pytest.mark.parametrize("applied", [True, False])
def test_a_chunk_whose_answer_was_lost_is_taken_again_and_counts_once(
    applied: bool, worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
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

    def exchange(self, ask: Ask) -> Answer:
        answer = super().exchange(ask)
        if self.then and ask.steps:
            answer = super().exchange(ask)
            self.then()
            self.then = None
        return answer


def test_a_redis_that_is_set_back_once_a_chunk_was_in_it_is_noticed(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    views = AnswerLost(worker.views.client)
    partition = replace(worker, views=views).partition()
    partition.take(topic[:100])
    image = Image(views.client)
    partition.take(topic[100:200])
    views.then = partial(image.restore, views.client)
    with pytest.raises(OffsetGap, match="was set back in Redis: reading again from offset 100"):
        partition.take(topic[200:250])
    take_all(partition, topic[100:])
    assert read_models(views.client) == whole


def test_a_redis_that_is_set_back_while_a_letter_is_buried_is_noticed(
    shop: App, worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    bad = [recorded.position for recorded in shop.log.recorded(0, 10**6) if type(recorded.event) in orders.events][-1]

    class Slow(Worker):
        def dead_letter(self, record: Any, fold: str, reason: str) -> None:
            super().dead_letter(record, fold, reason)
            if len(self.dead_lettered) == 1:
                image.restore(self.views.client)

    slow = Slow(worker.views, worker.codec, broken={"orders": refusing(orders, bad)})
    partition = slow.partition()
    partition.take(topic[:100])
    image = Image(worker.views.client)
    partition.take(topic[100:200])
    with pytest.raises(OffsetGap, match="was set back in Redis: reading again from offset 100"):
        partition.take(topic[200:])
    take_all(partition, topic[100:])
    assert [letter.fold for letter in slow.dead_lettered] == [fold_name(orders)] * 2
    assert without(read_models(worker.views.client), orders) == without(whole, orders)


class Overtaken(Views):
    """While it reads, ``meanwhile`` takes place, and is lost again before it writes: Redis fails over to what it was."""

    meanwhile: Callable[[], object] | None = None

    def exchange(self, ask: Ask) -> Answer:
        if not self.meanwhile or not (ask.documents or ask.maps):
            return super().exchange(ask)
        image = Image(self.client)
        self.meanwhile()
        self.meanwhile = None
        answer = super().exchange(ask)
        image.restore(self.client)
        return answer


@every_topic
def test_what_was_read_of_effects_that_are_lost_again_is_not_believed(
    name: str, shop: App, rows: Sequence[Row], client: redis.Redis
) -> None:
    dispatch(Views(client), name, shop.log.recorded(0, 10**6))
    expected, lying = read_models(client), records(rows, name)
    client.flushall()
    views = Overtaken(client)
    worker, other = Worker(views, shop.log.codec, name), Worker(Views(client), shop.log.codec, name)
    overtaken = 0
    for at in range(0, len(lying), 150):
        chunk = lying[at : at + 150]
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

    def exchange(self, ask: Ask) -> Answer:
        answer = super().exchange(ask)
        if not ask.documents or self.torn:
            return answer
        self.torn = True
        return answer._replace(
            read=dict.fromkeys(answer.read), stood={one: (Checkpoint(), after) for one, (_, after) in answer.stood.items()}
        )


def test_what_was_read_while_redis_changed_is_not_believed(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    worker.partition().take(topic[:150])
    views = Torn(worker.views.client)
    take_all(replace(worker, views=views).partition(), topic[150:])
    assert views.torn
    assert read_models(worker.views.client) == whole
