"""Reads that go together: over redis-py's transport, and over its own client where it shows none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
import redis
import redis.asyncio

from infra.errors import Unreachable
from infra.redis import batched_reads
from infra.redis.batched_reads import BatchedReads, Values, transport_of


def run(url: str, use: Callable[[BatchedReads], Awaitable[list[Values]]]) -> list[Values]:
    async def with_reads() -> list[Values]:
        async with redis.asyncio.Redis.from_url(url) as client:
            reads = BatchedReads(client)
            try:
                return await use(reads)
            finally:
                await reads.close()

    return asyncio.run(with_reads())


async def three(reads: BatchedReads) -> list[Values]:
    first = await reads.get(["a"])
    return [first, *await asyncio.gather(reads.get(["a", "none"]), reads.get(["b"]))]


EXPECTED: list[Values] = [[b"1"], [b"1", None], [b"2"]]


@pytest.fixture
def filled(client: redis.Redis, valkey_url: str) -> str:
    client.mset({"a": "1", "b": "2"})
    return valkey_url


def test_this_version_of_redis_py_shows_its_transport(filled: str) -> None:
    async def shown() -> bool:
        async with redis.asyncio.Redis.from_url(filled) as client:
            made = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            await made.connect()
            try:
                return transport_of(made) is not None
            finally:
                await made.disconnect()

    assert asyncio.run(shown()), f"redis-py {redis.__version__} keeps its transport elsewhere: questions now cost twice as much"


def test_reads_that_wait_together_are_answered_each_with_its_own(filled: str) -> None:
    assert run(filled, three) == EXPECTED


def test_without_the_transport_the_client_reads_and_a_warning_names_the_version(
    filled: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(batched_reads, "transport_of", lambda _: None)
    with caplog.at_level(logging.WARNING):
        assert run(filled, three) == EXPECTED
    assert redis.__version__ in caplog.text
    assert transport_of(object()) is None


@pytest.mark.parametrize("shown", [True, False])
def test_a_redis_that_is_gone_is_said(monkeypatch: pytest.MonkeyPatch, shown: bool) -> None:
    if not shown:
        monkeypatch.setattr(batched_reads, "transport_of", lambda _: None)
    with pytest.raises(Unreachable):
        run("redis://127.0.0.1:1/0", three)


def test_a_client_that_loses_its_redis_fails_the_reads_that_wait(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(reads: BatchedReads) -> list[Values]:
        found = await reads.get(["a"])

        async def broken(_: object) -> Values:
            raise redis.ConnectionError("gone")

        monkeypatch.setattr(reads._client, "mget", broken)
        with pytest.raises(Unreachable):
            await reads.get(["a"])
        monkeypatch.undo()
        return [found, await reads.get(["b"])]

    monkeypatch.setattr(batched_reads, "transport_of", lambda _: None)
    assert run(filled, lost) == [[b"1"], [b"2"]]
