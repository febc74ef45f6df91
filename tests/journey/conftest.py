"""Two weeks of Complete Journey, as they were imported once for all tests."""

from __future__ import annotations

import pytest

from streams.bootstrap import App
from streams.cli.importing import Imported


@pytest.fixture
def app(journey: tuple[App, Imported]) -> App:
    return journey[0]


@pytest.fixture
def imported(journey: tuple[App, Imported]) -> Imported:
    return journey[1]
