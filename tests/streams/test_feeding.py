"""Where a worker begins to read, when Redis does not tell in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import cast

import pytest
import redis
from faust.types import TP

from streams.kafka.worker import consumer as feeding
from streams.kafka.worker.batching import Batcher
from streams.kafka.worker.consumer import WorkerConsumer
from streams.kafka.worker.partition import OffsetGap, Partition, RedisRolledBack

PLACES = [TP("topic", number) for number in range(3)]


class Place:
    """A partition whose effects end before offset 40, as Redis tells once it ``answers``."""

    def __init__(self, answers: threading.Event) -> None:
        self.answers = answers
        self.lost: int | None = None

    def resume(self) -> int:
        if not self.answers.wait(0.05):
            raise redis.ConnectionError("no answer")
        return 40

    def set_back(self) -> int | None:
        if not self.answers.is_set():
            raise redis.ConnectionError("no answer")
        return self.lost


@pytest.fixture
def answers() -> threading.Event:
    return threading.Event()


@pytest.fixture
def places(answers: threading.Event) -> Mapping[TP, Place]:
    return {place: Place(answers) for place in PLACES}


@pytest.fixture
def worker(places: Mapping[TP, Place]) -> WorkerConsumer:
    return WorkerConsumer(lambda place: cast(Partition, places[place]), cast(Batcher, None), lambda: {"topic": "AAAA"})


def told(found: list[tuple[TP, OffsetGap]]) -> dict[TP, tuple[int, type[OffsetGap]]]:
    return {place: (behind.offset, type(behind)) for place, behind in found}


def test_what_redis_tells_is_where_reading_begins(worker: WorkerConsumer, answers: threading.Event) -> None:
    answers.set()
    assert asyncio.run(worker.resume(PLACES)) == dict.fromkeys(PLACES, 40)
    assert asyncio.run(worker.to_read_again()) == []


def test_what_redis_did_not_tell_in_time_is_read_again_from_there_though_nothing_more_comes(
    worker: WorkerConsumer, answers: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "RESUME_PATIENCE", 0.2)

    async def life() -> None:
        assert await worker.resume(PLACES) == {}, "a rebalance does not wait for ever"
        assert await worker.to_read_again() == [], "it is silent still"
        answers.set()
        assert told(await worker.to_read_again()) == dict.fromkeys(PLACES, (40, OffsetGap))
        assert await worker.to_read_again() == [], "once"

    asyncio.run(life())


def test_what_was_given_away_is_not_asked_for(
    worker: WorkerConsumer, answers: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "RESUME_PATIENCE", 0.2)

    async def life() -> None:
        await worker.resume(PLACES)
        answers.set()
        assert await worker.resume(PLACES[:1]) == {PLACES[0]: 40}
        assert await worker.to_read_again() == []

    asyncio.run(life())


def test_what_redis_lost_is_read_again(worker: WorkerConsumer, answers: threading.Event, places: Mapping[TP, Place]) -> None:
    async def life() -> None:
        answers.set()
        await worker.resume(PLACES)
        places[PLACES[1]].lost = 7
        assert told(await worker.to_read_again()) == {PLACES[1]: (7, RedisRolledBack)}

    asyncio.run(life())
