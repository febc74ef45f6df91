"""Reading for a position: what is waited for, and which fold is named where it is not reached."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
import redis
import redis.asyncio

from aggregates.programme import Programme
from infra.redis.checkpoints import LOG, checkpoint_key
from infra.redis.views import Views
from models.learner import Learner
from streams.web.problems import HttpProblem
from streams.web.questions.reader import ViewReader, Wanted

NOW, BEFORE = (checkpoint_key(f"{Learner.name}.{version}", LOG) for version in (Learner.version, Learner.version - 1))


def read(url: str, ask: Callable[[ViewReader], Awaitable[Any]]) -> Any:
    """What a reader of a log of 100 events answers."""

    async def with_reader() -> Any:
        async with redis.asyncio.Redis.from_url(url) as client:
            log = SimpleNamespace(head=lambda: 100)
            app: Any = SimpleNamespace(
                views=Views(redis.Redis.from_url(url)), terms=Programme("UTC", "EUR"), feed="log", log=log
            )
            reader = ViewReader(app, client)
            try:
                return await ask(reader)
            finally:
                await reader.close()
                app.views.client.close()

    return asyncio.run(with_reader())


def behind(url: str, position: int) -> tuple[str, int]:
    """The fold that is named, and how far it has come."""

    async def ask(reader: ViewReader) -> None:
        await reader.documents(["recommend:ada"], Wanted(position, 0.02))

    with pytest.raises(HttpProblem) as problem:
        read(url, ask)
    assert problem.value.status == 504
    return problem.value.more["fold"], problem.value.more["reached"]


@pytest.fixture
def stored(client: redis.Redis) -> redis.Redis:
    client.set("v1:recommend:ada", b"{}")
    return client


def test_a_fold_that_is_behind_is_named_with_how_far_it_has_come(stored: redis.Redis, valkey_url: str) -> None:
    stored.set(f"v1:{NOW}", "40")
    assert behind(valkey_url, 41) == (f"learner.{Learner.version}", 40)


def test_a_fold_that_nothing_has_folded_yet_is_named(stored: redis.Redis, valkey_url: str) -> None:
    assert stored.exists(f"v1:{NOW}") == 0
    assert behind(valkey_url, 1) == (f"learner.{Learner.version}", 0)


def test_before_the_switch_the_version_that_is_served_is_waited_for_and_named(stored: redis.Redis, valkey_url: str) -> None:
    stored.set(f"v1:{BEFORE}", "50")
    found = read(valkey_url, lambda reader: reader.documents(["recommend:ada"], Wanted(50, 0.02)))
    assert found == [b"{}"]
    assert behind(valkey_url, 51) == (f"learner.{Learner.version - 1}", 50)
    stored.set(f"v1:{BEFORE}", "dropped")
    assert behind(valkey_url, 50) == (f"learner.{Learner.version}", 0)
