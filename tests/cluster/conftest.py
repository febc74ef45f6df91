"""One cluster, and what the embedded mode makes of the same weeks, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from streams.cli.import_ import Imported
from streams.running.app import App
from tests.cluster.harness import Cluster, Embedded
from tests.conftest import JOURNEY
from tests.redis_content import digests_of

FIRST = 1  # weeks; more are fed to it where they are wanted

Expected: TypeAlias = Callable[[int], Any]
"""Tells the digests of so many weeks."""


@pytest.fixture(scope="session")
def expected(journey: tuple[App, Imported], tmp_path_factory: pytest.TempPathFactory) -> Expected:
    @cache
    def of(weeks: int) -> Any:
        return digests_of(journey[0]) if weeks == JOURNEY else Embedded(tmp_path_factory.mktemp("embedded")).digest(weeks)

    return of


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster") / "home")
    try:
        cluster.feed(FIRST)
        yield cluster
    finally:
        cluster.close()
