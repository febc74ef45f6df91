"""What tests of the evaluation share."""

from __future__ import annotations

import pytest

from models.evaluation.baselines.factors import installed
from tests.parts import lacking


@pytest.fixture
def implicit() -> None:
    """The package that fits BPR and ALS."""
    if not installed():
        lacking("implicit", "pip install 'regulars[evaluate]'")
