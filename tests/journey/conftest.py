"""Two weeks of Complete Journey, as they were imported once for all tests."""

from __future__ import annotations

import pytest

from streams.cli.import_ import Imported
from streams.running.app import App


@pytest.fixture
def app(journey: tuple[App, Imported]) -> App:
    return journey[0]


@pytest.fixture
def imported(journey: tuple[App, Imported]) -> Imported:
    return journey[1]
