"""Where a worker begins to read when Redis does not answer in time, and what it reads again."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import cast

import pytest
import redis
from faust.types import TP

from streams.kafka.worker import consumer
from streams.kafka.worker.agents import Unmonitored
from streams.kafka.worker.batching import Batcher
from streams.kafka.worker.consumer import WorkerConsumer
from streams.kafka.worker.partition import OffsetGap, Partition, RedisRolledBack
from streams.kafka.worker.telemetry import WorkerTelemetry

TPS = [TP("topic", number) for number in range(3)]


class SilentPartition:
    """A partition whose effects end before offset 40, as Redis says once it ``answers``."""

    def __init__(self, answers: threading.Event) -> None:
        self.answers = answers
        self.lost: int | None = None

    def resume(self) -> int:
        if not self.answers.wait(0.05):
            raise redis.ConnectionError("no answer")
        return 40

    def lost_from(self) -> int | None:
        if not self.answers.is_set():
            raise redis.ConnectionError("no answer")
        return self.lost


class SilentPartitions:
    def __init__(self) -> None:
        self.answers = threading.Event()
        self.made = {tp: SilentPartition(self.answers) for tp in TPS}

    def identify(self) -> Mapping[str, str]:
        return {"topic": "AAAA"}

    def renew(self) -> None: ...

    def make(self, tp: TP) -> Partition:
        return cast(Partition, self.made[tp])


@pytest.fixture
def partitions() -> SilentPartitions:
    return SilentPartitions()


@pytest.fixture
def worker(partitions: SilentPartitions) -> WorkerConsumer:
    return WorkerConsumer(partitions, cast(Batcher, None), WorkerTelemetry())


def offsets(found: list[tuple[TP, OffsetGap]]) -> dict[TP, tuple[int, type[OffsetGap]]]:
    return {tp: (gap.offset, type(gap)) for tp, gap in found}


def test_reading_begins_where_redis_says(worker: WorkerConsumer, partitions: SilentPartitions) -> None:
    partitions.answers.set()
    assert asyncio.run(worker.resume(TPS)) == dict.fromkeys(TPS, 40)
    assert asyncio.run(worker.to_read_again()) == []


def test_what_redis_says_late_is_read_again_though_no_more_records_come(
    worker: WorkerConsumer, partitions: SilentPartitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RESUME_PATIENCE", 0.2)

    async def life() -> None:
        assert await worker.resume(TPS) == {}, "a rebalance does not wait for ever"
        assert await worker.to_read_again() == [], "it is still silent"
        partitions.answers.set()
        assert offsets(await worker.to_read_again()) == dict.fromkeys(TPS, (40, OffsetGap))
        assert await worker.to_read_again() == [], "once"

    asyncio.run(life())


def test_a_partition_that_was_taken_away_is_not_read_again(
    worker: WorkerConsumer, partitions: SilentPartitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RESUME_PATIENCE", 0.2)

    async def life() -> None:
        await worker.resume(TPS)
        partitions.answers.set()
        assert await worker.resume(TPS[:1]) == {TPS[0]: 40}
        assert await worker.to_read_again() == []

    asyncio.run(life())


def test_what_redis_lost_is_read_again(worker: WorkerConsumer, partitions: SilentPartitions) -> None:
    async def life() -> None:
        partitions.answers.set()
        await worker.resume(TPS)
        partitions.made[TPS[1]].lost = 7
        assert offsets(await worker.to_read_again()) == {TPS[1]: (7, RedisRolledBack)}

    asyncio.run(life())


def test_faust_learns_when_a_partition_was_last_read_or_it_would_report_a_stopped_stream() -> None:
    monitor, tp, before = Unmonitored(), TP("regulars.events", 3), time.monotonic()
    monitor.on_stream_event_in(tp, 17, None, None)
    assert list(monitor.stream_inbound_time) == [tp]
    assert before <= monitor.stream_inbound_time[tp] <= time.monotonic()
