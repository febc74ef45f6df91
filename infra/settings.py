"""Where things are: the one place that reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones

from infra.faults import Misconfigured

CHUNK = 2000
"""Rows a follower reads, folds and applies at a time."""


def jar_cache() -> Path:
    """Where homes share the jars of the embedded Kafka."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "regulars" / "jars"


@dataclass(frozen=True)
class Settings:
    """``redis_url``: None for the embedded server. ``zone``, ``currency``: the shop's, for a log that has none yet.

    ``jars``: where those of the embedded Kafka are kept.
    """

    home: Path
    redis_url: str | None = None
    zone: str = "UTC"
    currency: str = "USD"
    jars: Path = field(default_factory=jar_cache)

    @property
    def log(self) -> Path:
        return self.home / "events.db"

    @property
    def keys(self) -> Path:
        return self.home / "keys.db"

    @property
    def valkey(self) -> Path:
        return self.home / "valkey"

    @property
    def broker(self) -> Path:
        return self.home / "kafka"


def from_environment() -> Settings:
    """Read ``REGULARS_HOME`` (``.regulars`` here, if unset), ``REDIS_URL``, ``REGULARS_ZONE``, ``REGULARS_CURRENCY`` and
    ``REGULARS_JARS``.

    Raises :class:`Misconfigured` if a value cannot be used.
    """
    url = os.environ.get("REDIS_URL") or None
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise Misconfigured(f"REDIS_URL is {url!r}; it must begin with redis://, rediss:// or unix://.")
    zone = os.environ.get("REGULARS_ZONE") or "UTC"
    if zone not in available_timezones():
        raise Misconfigured(f"REGULARS_ZONE is {zone!r}; it must be an IANA time zone, such as Europe/Berlin.")
    currency = os.environ.get("REGULARS_CURRENCY") or "USD"
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise Misconfigured(f"REGULARS_CURRENCY is {currency!r}; it must be an ISO 4217 code, such as EUR.")
    return Settings(
        home=Path(os.environ.get("REGULARS_HOME") or ".regulars").expanduser().resolve(),
        redis_url=url,
        zone=zone,
        currency=currency,
        jars=Path(os.environ.get("REGULARS_JARS") or jar_cache()).expanduser().resolve(),
    )
