"""A rebuild that is throttled rests for a share of its work, and twice as long while Redis answers slowly."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis

from infra.redis.loading import KeyContent, KeyLoader
from streams.replay.rebuild.throttle import SLOW, Throttle


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was slept, instead of sleeping."""
    found: list[float] = []
    monkeypatch.setattr("streams.replay.rebuild.throttle.time.sleep", found.append)
    return found


def test_it_rests_a_share_of_the_work_and_nothing_without_a_pause(client: redis.Redis, slept: list[float]) -> None:
    Throttle(client, 0.5, quiet=60).rest(0.2)
    Throttle(client).rest(0.2)
    assert slept == [pytest.approx(0.1)]


def test_it_rests_twice_as_long_while_redis_answers_slowly(client: redis.Redis, slept: list[float]) -> None:
    throttle = Throttle(client, 0.5)
    assert 0 < throttle.quiet < 1
    held = client.get

    class Slow:
        def get(self, name: str) -> Any:
            until = time.perf_counter() + (SLOW + 1) * throttle.quiet
            while time.perf_counter() < until:
                pass
            return held(name)

    throttle._client = Slow()  # type: ignore[assignment]
    throttle.rest(0.2)
    assert slept[-1] == pytest.approx(0.2)


def test_a_load_rests_after_each_call(client: redis.Redis) -> None:
    client.set("regulars:replay:card", "me")
    rested: list[float] = []
    content = [KeyContent(f"card:{n}", b"x" * 200_000) for n in range(4)]
    KeyLoader(client, "v2", "card", "me", rested.append).load(content)
    assert len(rested) == 2
    assert all(seconds > 0 for seconds in rested)
