"""What the tests of the core share: instants as people write them, refusals by their code."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from aggregates.decider import Refusal

ZONE = "America/New_York"
DAY = 86_400_000


def instant(local: str, zone: str = ZONE) -> int:
    """The instant of a local time such as ``2026-03-05`` or ``2026-03-05T14:30``."""
    return round(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def refusing(code: str, sentence: str | None = None) -> pytest.RaisesExc[Refusal]:
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code, match=sentence)
