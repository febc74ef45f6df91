"""One real broker for all tests of this folder; without its jars, and no way to fetch them, they fail with that sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.packaged.kafka import EmbeddedKafka
from infra.settings import jar_cache


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    broker = EmbeddedKafka(tmp_path_factory.mktemp("kafka home, ünï"), jar_cache())
    broker.start()
    yield broker
    broker.stop()
