"""A small shop's history, as a topic of one partition has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import redis

from infra.codec import Codec
from infra.event_log.types import Row
from infra.redis.views import Views
from streams.registry import DOMAIN
from streams.running.app import App
from tests.open_shop import open_shop
from tests.shop import requests
from tests.streams.kafka.topic_records import StoredRecord, WorkerOfTopic, dispatch_topic, read_models, records


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[App]:
    """A small shop with a history, for its log and its codec; its Redis is emptied by every test."""
    with open_shop(tmp_path_factory.mktemp("history"), valkey_url, requests(shoppings=70)) as app:
        yield app


@pytest.fixture(scope="module")
def rows(shop: App) -> Sequence[Row]:
    return shop.log.since(0, 10**6)


@pytest.fixture(scope="module")
def whole(shop: App, valkey_url: str) -> dict[str, Any]:
    """What the embedded dispatch makes of what this topic carries."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
        dispatch_topic(Views(client), DOMAIN, shop.log.recorded(0, 10**6))
        return read_models(client)


@pytest.fixture
def worker(client: redis.Redis, codec: Codec) -> WorkerOfTopic:
    return WorkerOfTopic(Views(client), codec)


@pytest.fixture(scope="module")
def codec(shop: App) -> Codec:
    return shop.log.codec


@pytest.fixture(scope="module")
def topic(rows: Sequence[Row]) -> list[StoredRecord]:
    return records(rows)
