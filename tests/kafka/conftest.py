"""One real broker for all tests of this folder; without its jars, and no way to fetch them, they are left out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from infra.embedded.kafka import EmbeddedKafka
from infra.event_log.log import EventLog
from infra.kafka.settings import KafkaSettings
from infra.settings import Settings
from streams.running.app import open_log
from tests.kafka.shelf import Shelf, append

SHOPPINGS = 40
NUMBERS = count(1)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path) -> Iterator[EmbeddedKafka]:
    broker = EmbeddedKafka(tmp_path_factory.mktemp("kafka home, ünï"), kafka_jars)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def kafka(broker: EmbeddedKafka) -> KafkaSettings:
    broker.start()
    return KafkaSettings(broker.bootstrap)


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose log has a small shop's history."""
    home = tmp_path_factory.mktemp("history")
    append(Settings(home), SHOPPINGS)
    return home


@pytest.fixture
def settings(tmp_path: Path, history: Path) -> Settings:
    return Settings(Path(shutil.copytree(history, tmp_path / "home")))


@pytest.fixture
def log(settings: Settings) -> Iterator[EventLog]:
    with open_log(settings) as (log, _):
        yield log


@pytest.fixture
def shelf(kafka: KafkaSettings) -> Shelf:
    """Topics that nobody has used yet."""
    return Shelf(kafka, f"test-{next(NUMBERS)}.")
