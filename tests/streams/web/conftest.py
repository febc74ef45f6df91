"""A server on an empty home, and on one in which a shop has been trading."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.embedded.kafka import free_ports
from infra.embedded.valkey import EmbeddedRedis
from tests.streams.web.client import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The API of an empty shop, with a follower beside it."""
    home = tmp_path_factory.mktemp("api") / "home"
    server = Served(home, free_ports()[0])
    server.start()
    yield server
    server.stop()
    EmbeddedRedis(home / "valkey").stop()
