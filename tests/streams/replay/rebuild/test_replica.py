"""A switch waits until a replica of Redis has it, and says whether one has."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregates.value import replace
from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.cli.replay import sentences_of
from streams.registry import folds
from streams.replay.rebuild.version import VersionRebuild
from streams.running.app import App, running
from tests.cluster.replica import Replica
from tests.shop import TERMS, requests

pytestmark = pytest.mark.servers

CARD = [fold for fold in folds(TERMS) if fold.name == "card"]


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def shop(primary: EmbeddedRedis, settings: Settings) -> Iterator[App]:
    with running(replace(settings, redis_url=primary.url)) as app:
        app.handler.handle_all(list(requests(shoppings=10)))
        app.follower().catch_up()
        yield app


def test_a_switch_waits_for_a_replica(shop: App, primary: EmbeddedRedis, tmp_path: Path) -> None:
    assert VersionRebuild(shop, CARD).run().confirmed is None
    replica = Replica(primary, tmp_path / "replica")
    try:
        replica.follow_until_whole()
        assert VersionRebuild(shop, CARD).run().confirmed
        os.kill(replica.pid, signal.SIGSTOP)
        done = VersionRebuild(shop, CARD).run()
        os.kill(replica.pid, signal.SIGCONT)
    finally:
        replica.stop()
    assert done.confirmed is False
    assert any("No replica of Redis has confirmed the switch" in sentence for sentence in sentences_of(done))
    assert shop.refreshed().views.versions.version_of("card:1") == done.version
