"""What the tests of the core share: instants as people write them, refusals by their code."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aggregates.decider import Context, Decider, Refusal
from aggregates.programme import Policies
from streams.commands.validation import require_valid

ZONE = "America/New_York"
DAY = 86_400_000


def instant(local: str, zone: str = ZONE) -> int:
    """The instant of a local time such as ``2026-03-05`` or ``2026-03-05T14:30``."""
    return round(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def refusing(code: str, sentence: str | None = None) -> pytest.RaisesExc[Refusal]:
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code, match=sentence)


CONTEXT = Context(Policies.first(ZONE, "USD"))
"""A shop that has published no programme."""


def ask(decider: Decider[Any, Any, Any], command: Any, state: Any) -> list[Any]:
    """Validate a command and decide it, as the handler does. Raises ``Refusal``."""
    require_valid(command)
    events: list[Any] = decider.decide(command, state, CONTEXT)
    return events
