"""The real parts, once for all tests: a Redis server of their own, and a system on an empty log and an empty database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from infra.packaged.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.bootstrap import App, running


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def client(valkey_url: str) -> Iterator[redis.Redis]:
    """A client of an empty database."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str, client: redis.Redis) -> Settings:
    return Settings(home=tmp_path / "home", redis_url=valkey_url)


@pytest.fixture
def app(settings: Settings) -> Iterator[App]:
    with running(settings) as app:
        yield app
