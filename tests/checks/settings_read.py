"""Finds the variables that the settings are read from: those that are looked up while reading them."""

from __future__ import annotations

import os
import re
from unittest.mock import patch

from infra.settings import from_environment

OURS = re.compile(r"(REGULARS|REDIS|KAFKA|DATABASE|KEYS|OTEL)_[A-Z_]+")
ALL = {"KAFKA_BOOTSTRAP": "localhost:9092", "REDIS_URL": "rediss://localhost"}
"""Without these, others are not looked up."""


class Asked(dict[str, str]):
    """An environment that remembers which names were looked up."""

    def __init__(self, *arguments: dict[str, str]) -> None:
        super().__init__(*arguments)
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(name)
        return super().get(name, default)


def settings_read() -> set[str]:
    """Return the names of all settings.

    >>> {"REGULARS_HOME", "DATABASE_URL", "REDIS_CA_FILE", "KAFKA_KEY_FILE"} <= settings_read()
    True
    """
    others = {name: value for name, value in os.environ.items() if not OURS.fullmatch(name)}
    asked = Asked(others | ALL)
    with patch.object(os, "environ", asked):
        from_environment()
    return {name for name in asked.names if OURS.fullmatch(name)}
