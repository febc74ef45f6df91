"""Batching: chunks that wait go together, a partition keeps its order, and a fault stays with the partition it befell."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis
from faust.types import TP

from infra.codec import Codec
from infra.redis.commit import CheckpointedWrite, Refusals
from infra.redis.views import Contents, Keys, Views
from streams.kafka.worker.batching import LARGEST, THREADS, Batcher, Outcomes
from streams.kafka.worker.partition import BatchResult, OffsetGap, Partition, Record, take_together
from streams.running.app import App
from tests.streams.kafka.topic_records import StoredRecord, WorkerOfTopic, read_models, take_all

RECORD = cast(Record, SimpleNamespace(offset=0, key=b"", value=b""))


class WaitingTaker:
    """Takes batches once ``go`` is set; ``batches``: the sizes of the chunks that went together, by partition."""

    def __init__(self) -> None:
        self.batches: list[dict[object, int]] = []
        self.go = threading.Event()
        self.go.set()

    def take(self, chunks: Sequence[tuple[Partition, Sequence[Record]]]) -> Outcomes:
        assert self.go.wait(10)
        self.batches.append({partition: len(records) for partition, records in chunks})
        if any(partition == "broken" for partition, _ in cast(Any, chunks)):
            raise ValueError("broken")
        return [BatchResult(len(records), len(records), 0, 0, 0) for _, records in chunks]


@pytest.fixture
def taker() -> WaitingTaker:
    return WaitingTaker()


def take(batcher: Batcher, number: int, records: int = 1, name: str | None = None) -> asyncio.Task[BatchResult]:
    partition = cast(Partition, name or f"p{number}")
    return asyncio.ensure_future(batcher.take(TP("topic", number), partition, [RECORD] * records))


def test_chunks_that_come_at_the_same_time_are_one_batch(taker: WaitingTaker) -> None:
    async def main() -> None:
        batcher = Batcher(taker.take)
        results = await asyncio.gather(*(take(batcher, n, n + 1) for n in range(16)))
        assert [result.records for result in results] == list(range(1, 17))

    asyncio.run(main())
    assert taker.batches == [{f"p{n}": n + 1 for n in range(16)}]


def test_chunks_that_come_while_all_threads_work_go_together_afterwards(taker: WaitingTaker) -> None:
    async def main() -> None:
        batcher = Batcher(taker.take)
        taker.go.clear()
        taken = []
        for n in range(THREADS + 5):
            taken.append(take(batcher, n))
            await asyncio.sleep(0.01)
        taker.go.set()
        await asyncio.gather(*taken)

    asyncio.run(main())
    assert sorted(map(len, taker.batches)) == [1] * THREADS + [5]


def test_a_partition_is_in_one_batch_at_a_time_and_keeps_its_order(taker: WaitingTaker) -> None:
    async def main() -> None:
        batcher = Batcher(taker.take)
        await asyncio.gather(*(take(batcher, 3, n) for n in range(1, 8)))

    asyncio.run(main())
    assert taker.batches == [{"p3": n} for n in range(1, 8)]


def test_a_batch_has_no_more_records_than_the_limit_unless_one_chunk_has(taker: WaitingTaker) -> None:
    async def main() -> None:
        batcher = Batcher(taker.take)
        await asyncio.gather(*(take(batcher, n, size) for n, size in enumerate((LARGEST - 1, 1, 1, LARGEST + 1))))

    asyncio.run(main())
    assert sorted(map(list, taker.batches)) == [["p0", "p1"], ["p2"], ["p3"]]


def test_a_fault_of_a_batch_reaches_all_that_wait_for_it_and_no_other(taker: WaitingTaker) -> None:
    async def main() -> None:
        batcher = Batcher(taker.take)
        failed = await asyncio.gather(take(batcher, 0, name="broken"), take(batcher, 1), return_exceptions=True)
        assert [str(fault) for fault in failed] == ["broken", "broken"]
        assert (await take(batcher, 1, 5)).records == 5

    asyncio.run(main())


def test_a_caller_that_is_cancelled_leaves_the_batches_going(taker: WaitingTaker) -> None:
    async def main() -> None:
        batcher = Batcher(taker.take)
        taker.go.clear()
        left = take(batcher, 0)
        await asyncio.sleep(0.01)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        taker.go.set()
        assert (await take(batcher, 0, 2)).records == 2

    asyncio.run(main())
    assert taker.batches == [{"p0": 1}, {"p0": 2}], "the first was under way"


class CountingViews(Views):
    """Counts round trips."""

    reads = commits = 0

    def read(self, keys: Keys) -> Contents:
        self.reads += 1
        return super().read(keys)

    def commit(self, writes: Sequence[CheckpointedWrite]) -> Refusals:
        self.commits += 1
        return super().commit(writes)


@pytest.fixture
def views(client: redis.Redis) -> CountingViews:
    return CountingViews(client)


@pytest.fixture
def partitions(views: Views, codec: Codec) -> list[Partition]:
    """Three partitions of a topic, each of them given the same history."""
    return [WorkerOfTopic(views, codec).partition(number) for number in range(3)]


def test_chunks_of_several_partitions_take_one_reading_and_one_commit(
    partitions: list[Partition], views: CountingViews, topic: Sequence[StoredRecord]
) -> None:
    outcomes = take_together([(partition, topic[:100]) for partition in partitions])
    assert [outcome.applied for outcome in outcomes if isinstance(outcome, BatchResult)] == [100] * 3
    assert (views.reads, views.commits) == (1, 1)


def test_a_partition_with_a_gap_leaves_the_others_of_its_batch_alone(
    partitions: list[Partition], views: CountingViews, topic: Sequence[StoredRecord]
) -> None:
    first, behind, last = take_together(
        [(partitions[0], topic[:50]), (partitions[1], topic[7:50]), (partitions[2], topic[:50])]
    )
    assert isinstance(first, BatchResult)
    assert isinstance(last, BatchResult)
    assert isinstance(behind, OffsetGap)
    assert behind.offset == 0


def test_a_partition_that_was_overtaken_takes_its_chunk_alone(
    views: CountingViews, codec: Codec, shop: App, topic: Sequence[StoredRecord], whole: dict[str, Any]
) -> None:
    worker = WorkerOfTopic(views, codec)
    mine, zombie, other = worker.partition(), worker.partition(), worker.partition(1)
    mine.take(topic[:50])
    zombie.take(topic[:80])
    outcomes = take_together([(other, topic[:10]), (mine, topic[50:120])])
    assert [outcome.records for outcome in outcomes if isinstance(outcome, BatchResult)] == [10, 70]
    views.client.flushall()
    take_all(worker.partition(), topic)
    assert read_models(views.client) == whole


def test_what_redis_refuses_one_partition_does_not_stop_the_others(
    partitions: list[Partition], views: CountingViews, topic: Sequence[StoredRecord]
) -> None:
    views.client.lpush("v1:checkpoint:orders.1:regulars.events:1", "of a wrong type")
    outcomes = take_together([(partition, topic[:50]) for partition in partitions])
    assert isinstance(outcomes[1], redis.ResponseError)
    assert [type(outcome) for outcome in outcomes[::2]] == [BatchResult, BatchResult]
