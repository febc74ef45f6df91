"""Records and events that cannot be folded become dead letters, and the rest is exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from aggregates.value import replace
from infra.errors import Newer
from infra.redis.checkpoints import Checkpoint, missing_event
from infra.redis.views import Views
from projections.orders import orders
from projections.sales import sales
from streams.projecting.dispatch import Dispatch
from streams.projecting.loaders import fold_name, loader_of
from streams.running.app import App
from tests.shop import TERMS
from tests.streams.kafka.topic_records import (
    StoredRecord,
    WorkerOfTopic,
    failing_over,
    of_fold,
    read_models,
    renumbered,
    take_all,
    without,
)

JUNK = (b"\xff\x00junk", b'{"id":7,"type":"click"}', b"", b'{"position":1,"name":"OrderPaid","event":{"key":"m-1","order":7}}')


def test_records_that_cannot_be_read_become_dead_letters_and_the_rest_is_exact(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    poisoned: list[StoredRecord] = []
    for n, record in enumerate(topic):
        poisoned += [replace(record, value=JUNK[n // 40 % len(JUNK)])] if n % 40 == 0 else []
        poisoned.append(record)
    poisoned = renumbered(poisoned, [StoredRecord(0, None, None)])
    where = [at for at, record in enumerate(poisoned) if record.value is None or record.value in JUNK]
    for size in (1, 30, 10_000):
        worker.views.client.flushall()
        worker.dead_lettered.clear()
        take_all(worker.partition(), poisoned, size)
        assert read_models(worker.views.client) == whole
        assert [(letter.offset, letter.fold) for letter in worker.dead_lettered] == [(at, "*") for at in where]
        take_all(worker.partition(), poisoned, size)
        assert len(worker.dead_lettered) == len(where), "what was passed is not dead_lettered again"
        assert worker.partition().resume() == len(poisoned)


@pytest.mark.parametrize("size", [1, 30, 10_000])
def test_an_event_that_one_fold_fails_over_becomes_a_dead_letter_of_that_fold_alone(
    size: int, shop: App, worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    history = shop.log.recorded(0, 10**6)
    mine = [recorded.position for recorded in history if type(recorded.event) in orders.events]
    bad = [mine[30], mine[31], mine[60]]
    broken = replace(worker, broken={"orders": failing_over(orders, *bad)})
    take_all(broken.partition(), topic, size)
    held, client = read_models(worker.views.client), worker.views.client
    assert without(held, orders) == without(whole, orders)
    assert [(letter.fold, letter.reason.split(":")[0]) for letter in worker.dead_lettered] == [
        (fold_name(orders), f"The fold orders.1 failed over event #{position}") for position in bad
    ]
    assert [worker.views.checkpoints_in(missing_event(at), [fold_name(orders)])["orders.1"] for at in bad] == [
        Checkpoint(at) for at in bad
    ]
    client.flushall()
    Dispatch(Views(client), [loader_of(orders, TERMS.zone, Views(client))]).dispatch(
        [r for r in history if r.position not in bad]
    )
    assert of_fold(held, orders) == read_models(client)


def test_two_folds_may_fail_over_one_event(
    shop: App, worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    daily = sales(TERMS.zone)
    paid = next(r for r in shop.log.recorded(400, 10**6) if type(r.event) in orders.events & daily.events)
    at = paid.event.at  # type: ignore[attr-defined]
    broken = replace(worker, broken={"orders": failing_over(orders, paid.position), "sales": failing_over(daily, at)})
    take_all(broken.partition(), topic)
    letters = {(letter.fold) for letter in worker.dead_lettered if f"#{paid.position}:" in letter.reason}
    assert letters == {"orders.1", "sales.1"}
    assert without(read_models(worker.views.client), orders, daily) == without(whole, orders, daily)


def test_an_event_of_a_newer_program_stops_the_partition_and_moves_nothing(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord]
) -> None:
    later = StoredRecord(0, b"m-1", b'{"position":9999,"name":"OrderGifted","event":{"key":"m-1","order":"1"}}')
    shape = StoredRecord(0, b"m-1", b'{"position":9999,"name":"OrderPlaced.9","event":{"key":"m-1","order":"1"}}')
    junk = StoredRecord(0, None, b"junk")
    partition = worker.partition()
    partition.take(topic[:20])
    held = read_models(worker.views.client)
    for newer in (later, shape):
        for chunk in ([*topic[20:30], newer], [newer, *topic[20:30]], [junk, newer, *topic[20:30]]):
            with pytest.raises(Newer, match="upgrade it"):
                partition.take(renumbered(chunk, start=20))
            assert partition.resume() == 20
            assert read_models(worker.views.client) == held


def test_a_chunk_is_not_taken_while_its_dead_letters_are_unconfirmed(
    worker: WorkerOfTopic, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    class Away(WorkerOfTopic):
        away = True

        def dead_letter(self, record: Any, fold: str, reason: str) -> None:
            if self.away:
                raise ConnectionError("Kafka is away")
            super().dead_letter(record, fold, reason)

    away = Away(worker.views, worker.codec)
    poisoned = renumbered(topic[:10], [StoredRecord(0, None, b"junk")], topic[10:])
    partition = away.partition()
    with pytest.raises(ConnectionError):
        partition.take(poisoned[:20])
    assert partition.resume() == 0
    away.away = False
    take_all(partition, poisoned)
    assert [letter.offset for letter in away.dead_lettered] == [10]
    assert read_models(worker.views.client) == whole
