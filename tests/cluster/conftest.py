"""One cluster, and what the embedded mode made of the same weeks, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.bootstrap import App
from streams.cli.importing import Imported
from tests.cluster.harness import Cluster
from tests.conftest import JOURNEY
from tests.redis_content import digests_of


@pytest.fixture(scope="session")
def expected(journey: tuple[App, Imported]) -> Any:
    return digests_of(journey[0])


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster") / "home")
    try:
        cluster.feed(JOURNEY)
        yield cluster
    finally:
        cluster.close()
