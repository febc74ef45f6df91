"""Where endpoints are kept: secrets that are changed by several processes at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from infra.settings import Settings
from infra.webhooks.store import WebhookStore
from streams.running.app import open_log
from streams.webhooks.messages import open_store
from tests.databases import in_both_databases

TIMES = 20


@pytest.fixture
def stores(settings: Settings) -> Iterator[list[WebhookStore]]:
    """Two connections to the same endpoints, as two processes have them."""
    settings.home.mkdir(exist_ok=True)
    with (
        open_log(settings) as (_, keys),
        closing(open_store(settings, keys)) as one,
        closing(open_store(settings, keys)) as two,
    ):
        yield [one, two]


@in_both_databases
def test_no_secret_is_lost_when_two_processes_rotate_at_once(stores: list[WebhookStore]) -> None:
    made, first = stores[0].add("https://shop.example.com/hooks", ["OrderPaid"], False, 0, 0)
    with ThreadPoolExecutor(2) as both:
        rotated = [both.submit(stores[n % 2].rotate, made.id, 1, 1000) for n in range(TIMES)]
    assert {first, *(each.result() for each in rotated)} == set(stores[0].secrets(made.id, 2))
    assert len(stores[0].secrets(made.id, 1000)) == 1
