"""Read models are not written where Redis evicts keys, lost a checkpoint, or holds another version of a fold."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from aggregates.value import replace
from infra.embedded.valkey import EmbeddedRedis, connect
from infra.errors import Misconfigured
from infra.redis.checkpoints import LOG, checkpoint_key, copy_key
from infra.redis.digest import digests
from infra.redis.views import Views
from streams.projecting.dispatch import Dispatch
from streams.projecting.loaders import fold_name, loader_of
from streams.projecting.readiness import eviction_problems, fitting_folds, refuse_eviction
from streams.registry import fold_of_part, folds
from streams.running.app import App
from tests.redis_content import content
from tests.shop import MEMBERS, TERMS, requests

FOLDS = folds(TERMS)
SALES = next(fold for fold in FOLDS if fold.name == "sales")


@pytest.fixture
def filled(app: App) -> App:
    """A shop whose read models stand before the end of its log, at a place where every fold has keys."""
    every = list(requests(shoppings=30))
    half = len(every) // 2
    app.handler.handle_all(every[:half])
    app.follower().catch_up()
    app.handler.handle_all(every[half:])
    return app


def whole(app: App) -> dict[str, object]:
    """Return what Redis should hold, and leave it empty."""
    app.views.client.flushall()
    app.announce()
    app.follower().catch_up()
    return content(app.views.client, positions=False)


@pytest.mark.parametrize("name", [fold_name(fold) for fold in FOLDS if fold.name != "programme"])  # no policy is published
def test_a_lost_checkpoint_is_restored_from_its_copy_and_nothing_counts_twice(
    name: str, filled: App, caplog: pytest.LogCaptureFixture
) -> None:
    filled.views.client.delete(filled.views.key(checkpoint_key(name, LOG)))
    with caplog.at_level(logging.WARNING):
        filled.follower().catch_up()
    assert f"Redis lost the checkpoint of {name} in log:0; its copy says" in caplog.text
    found = content(filled.views.client, positions=False)
    assert found == whole(filled)


def test_a_checkpoint_that_is_lost_under_a_running_follower_changes_nothing(filled: App) -> None:
    follower = filled.follower()
    assert follower.position > 0
    for fold in FOLDS:
        filled.views.client.delete(filled.views.key(checkpoint_key(fold_name(fold), LOG)))
    follower.catch_up()
    found = content(filled.views.client, positions=False)
    assert found == whole(filled)


def test_a_fold_whose_checkpoints_are_all_gone_is_refused_while_its_keys_are_there(filled: App) -> None:
    client, name = filled.views.client, fold_name(SALES)
    client.delete(filled.views.key(checkpoint_key(name, LOG)), filled.views.key(copy_key(name, LOG)))
    before = content(client)
    with pytest.raises(Misconfigured, match=r"holds read models of sales, and no checkpoint of sales\.1"):
        filled.follower()
    assert content(client) == before


def test_a_fold_whose_keys_are_gone_with_its_checkpoint_begins_anew(filled: App) -> None:
    client = filled.views.client
    client.delete(filled.views.key(checkpoint_key(fold_name(SALES), LOG)), *client.scan_iter(match="v1:sales:*"))
    filled.follower().catch_up()
    found = content(client, positions=False)
    assert found == whole(filled)


def test_a_fold_of_a_raised_version_is_not_fed_over_the_keys_of_the_old_one(
    filled: App, caplog: pytest.LogCaptureFixture
) -> None:
    raised = [replace(fold, version=2) if fold is SALES else fold for fold in FOLDS]
    before = {key: value for key, value in content(filled.views.client).items() if key.startswith("v1:sales:")}
    with caplog.at_level(logging.WARNING):
        fitting = fitting_folds(filled.views, raised, [LOG])
    assert "Redis holds read models of sales, made by sales.1; this program has sales.2" in caplog.text
    assert [fold_name(fold) for fold in raised if fold not in fitting] == ["sales.2"]
    Dispatch(filled.views, [loader_of(fold, TERMS.zone, filled.views) for fold in fitting]).dispatch(
        filled.log.recorded(0, 10**6)
    )
    assert {key: value for key, value in content(filled.views.client).items() if key.startswith("v1:sales:")} == before


def test_a_follower_without_every_fold_completes_no_erasure(filled: App, monkeypatch: pytest.MonkeyPatch) -> None:
    raised = [replace(fold, version=2) if fold is SALES else fold for fold in FOLDS]
    monkeypatch.setattr("streams.running.app.folds", lambda _: raised)
    follower = filled.follower()
    follower.catch_up()
    assert not follower.completes_erasures


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Redis of its own, since it is changed and halted."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("evicting"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def evicting(server: EmbeddedRedis) -> Iterator[redis.Redis]:
    with connect(server.url) as client:
        yield client


def test_a_redis_that_is_silent_for_eight_seconds_is_waited_for(server: EmbeddedRedis, app: App) -> None:
    app.handler.handle_all(list(requests(shoppings=5)))
    with connect(server.url) as client:
        waiting = replace(app, views=Views(client))
        follower = waiting.follower()
        process = server.server_pid()
        assert process
        os.kill(process, signal.SIGSTOP)
        threading.Timer(8.0, os.kill, (process, signal.SIGCONT)).start()
        assert follower.catch_up() == app.log.head()
        assert client.get("v1:card:m-1")


def test_a_redis_that_may_evict_keys_is_refused_unless_it_is_allowed(
    evicting: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    assert eviction_problems(evicting) == []
    evicting.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(Misconfigured, match=r"maxmemory-policy is allkeys-lru.*REDIS_ALLOW_EVICTION=yes"):
        refuse_eviction(evicting, allowed=False)
    with caplog.at_level(logging.WARNING):
        refuse_eviction(evicting, allowed=True)
    assert "maxmemory-policy is allkeys-lru" in caplog.text


def test_a_redis_that_has_evicted_keys_is_refused(evicting: redis.Redis) -> None:
    evicting.config_set("maxmemory-policy", "allkeys-lru")
    evicting.config_set("maxmemory", "3mb")
    for number in range(4000):
        evicting.set(f"v1:filler:{number}", "x" * 1000)
    evicting.config_set("maxmemory", "0")
    evicting.config_set("maxmemory-policy", "noeviction")
    with pytest.raises(Misconfigured, match=r"has evicted [\d,]+ keys"):
        refuse_eviction(evicting, allowed=False)


def test_a_digest_counts_a_key_that_vanishes_while_it_is_read_as_gone(filled: App) -> None:
    client = filled.views.client
    expected = digests(filled.views, fold_of_part(TERMS))

    class Vanishing(redis.Redis):
        def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Any:
            client.delete(f"v1:card:{MEMBERS[1]}")
            return super().pipeline(transaction, shard_hint)

    found = digests(Views(Vanishing(connection_pool=client.connection_pool)), fold_of_part(TERMS))
    assert found["sales"] == expected["sales"]
    assert found["card"].entries == expected["card"].entries - 1
