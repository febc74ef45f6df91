"""Where things are: the one place that reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import available_timezones

from infra.faults import Misconfigured
from infra.postgres.address import checked

CHUNK = 2000
"""Rows a follower reads, folds and applies at a time."""

MOST_KEPT = 32
"""Connections to PostgreSQL that one process may keep open."""


@dataclass(frozen=True)
class Settings:
    """``redis_url``: None for the embedded server. ``zone``, ``currency``: the shop's, for a log that has none yet.

    ``database_url``: of the log; None for the packaged PostgreSQL of the home, if it has one, else a SQLite file.
    ``keys_database_url``: of the keys, None for the log's. ``database_pool``: connections to PostgreSQL that stay open.
    """

    home: Path
    redis_url: str | None = None
    zone: str = "UTC"
    currency: str = "USD"
    database_url: str | None = None
    keys_database_url: str | None = None
    database_pool: int = 2

    @property
    def log(self) -> Path:
        return self.home / "events.db"

    @property
    def keys(self) -> Path:
        return self.home / "keys.db"

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"

    @property
    def valkey(self) -> Path:
        return self.home / "valkey"


def from_environment() -> Settings:
    """Read ``REGULARS_HOME`` (``.regulars`` here, if unset), ``DATABASE_URL`` and the others; what is empty counts as unset.

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
    pool = os.environ.get("DATABASE_POOL") or "2"
    if not (pool.isascii() and pool.isdigit() and 1 <= int(pool) <= MOST_KEPT):
        raise Misconfigured(f"DATABASE_POOL is {pool!r}; it must be a number of connections from 1 to {MOST_KEPT}.")
    return Settings(
        home=Path(os.environ.get("REGULARS_HOME") or ".regulars").expanduser().resolve(),
        redis_url=url,
        zone=zone,
        currency=currency,
        database_url=database("DATABASE_URL", os.environ.get("DATABASE_URL")),
        keys_database_url=database("KEYS_DATABASE_URL", os.environ.get("KEYS_DATABASE_URL")),
        database_pool=int(pool),
    )


def database(name: str, url: str | None) -> str | None:
    return checked(url, name) if url else None
