"""One cluster, and what the embedded mode makes of the same weeks, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.harness import Cluster, Embedded

WEEKS = 2


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return Embedded(tmp_path_factory.mktemp("embedded")).digest(WEEKS)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster") / "home")
    try:
        cluster.feed(WEEKS)
        yield cluster
    finally:
        cluster.close()
