"""Batcher: what waits goes together, each place keeps its order, and a fault stays with whom it befell."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis
from faust.types import TP

from infra.redis.asking import Answer, Ask, Asking
from streams.kafka.worker.batching import LARGEST, THREADS, Batcher
from streams.kafka.worker.partition import BatchResult, Partition, Record

RECORD = cast(Record, SimpleNamespace(offset=0, key=b"", value=b""))


class Asked:
    """A Redis that waits for ``go``; ``asks``: what went together."""

    def __init__(self) -> None:
        self.asks: list[tuple[str, ...]] = []
        self.go = threading.Event()
        self.go.set()

    def exchange(self, ask: Ask) -> Answer:
        assert self.go.wait(10)
        self.asks.append(ask.documents)
        if "refused" in ask.documents:
            raise redis.ResponseError("WRONGTYPE")
        return Answer(dict.fromkeys(ask.documents))


class Place:
    """One partition; it asks for its name, or for ``asks``."""

    def __init__(self, number: int, asks: str | None = None) -> None:
        self.place = TP("topic", number)
        self.asks = asks or f"p{number}"
        self.taken: list[int] = []

    def taking(self, records: Sequence[Record]) -> Asking[BatchResult]:
        yield Ask(documents=(self.asks,))
        self.taken.append(len(records))
        return BatchResult(len(records), len(records), 0, 0, 0)


def take(rounds: Batcher, place: Place, records: int = 1) -> asyncio.Task[BatchResult]:
    return asyncio.ensure_future(rounds.take(place.place, cast(Partition, place), [RECORD] * records))


def test_what_comes_at_the_same_time_is_one_exchange() -> None:
    asked = Asked()

    async def main() -> None:
        rounds, places = Batcher(asked.exchange), [Place(n) for n in range(16)]
        taken = await asyncio.gather(*(take(rounds, place, n + 1) for n, place in enumerate(places)))
        assert [one.records for one in taken] == list(range(1, 17))

    asyncio.run(main())
    assert asked.asks == [tuple(f"p{n}" for n in range(16))]


def test_what_comes_while_all_threads_are_at_work_goes_together_after() -> None:
    asked = Asked()

    async def main() -> None:
        rounds = Batcher(asked.exchange)
        asked.go.clear()
        taken = []
        for n in range(THREADS + 5):
            taken.append(take(rounds, Place(n)))
            await asyncio.sleep(0.01)
        asked.go.set()
        await asyncio.gather(*taken)

    asyncio.run(main())
    assert sorted(map(len, asked.asks)) == [1] * THREADS + [5]


def test_a_place_is_in_one_round_at_a_time_and_keeps_its_order() -> None:
    asked, place = Asked(), Place(3)

    async def main() -> None:
        rounds = Batcher(asked.exchange)
        await asyncio.gather(*(take(rounds, place, n) for n in range(1, 8)))

    asyncio.run(main())
    assert place.taken == list(range(1, 8))
    assert asked.asks == [("p3",)] * 7


def test_a_round_takes_no_more_than_it_should_unless_one_chunk_is_larger() -> None:
    asked = Asked()

    async def main() -> None:
        rounds = Batcher(asked.exchange)
        sizes = (LARGEST - 1, 1, 1, LARGEST + 1)
        await asyncio.gather(*(take(rounds, Place(n), size) for n, size in enumerate(sizes)))

    asyncio.run(main())
    assert sorted(asked.asks) == [("p0", "p1"), ("p2",), ("p3",)]


def test_what_redis_refuses_one_place_is_not_the_others_fault() -> None:
    asked = Asked()

    async def main() -> list[Any]:
        rounds, places = Batcher(asked.exchange), [Place(0), Place(1, "refused"), Place(2)]
        return await asyncio.gather(*(take(rounds, place) for place in places), return_exceptions=True)

    first, refused, last = asyncio.run(main())
    assert isinstance(refused, redis.ResponseError)
    assert (first.records, last.records) == (1, 1)


def test_whoever_stops_waiting_leaves_the_rounds_going() -> None:
    asked = Asked()

    async def main() -> None:
        rounds, place = Batcher(asked.exchange), Place(0)
        asked.go.clear()
        left = take(rounds, place)
        await asyncio.sleep(0.01)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        asked.go.set()
        assert (await take(rounds, place, 2)).records == 2
        assert place.taken == [1, 2], "it was under way"

    asyncio.run(main())
