"""Two weeks of Complete Journey, imported once for all tests here, into a home with a Redis of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console

from infra.packaged.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.bootstrap import App, running
from streams.cli.importing import Imported, import_complete_journey
from streams.imports.complete_journey import SHOP

WEEKS = 2


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Imported]]:
    settings = Settings(tmp_path_factory.mktemp("journey"))
    try:
        with running(settings, SHOP) as app:
            yield app, import_complete_journey(app, WEEKS, Console(quiet=True))
    finally:
        EmbeddedRedis(settings.valkey).stop()


@pytest.fixture
def app(journey: tuple[App, Imported]) -> App:
    return journey[0]


@pytest.fixture
def imported(journey: tuple[App, Imported]) -> Imported:
    return journey[1]
