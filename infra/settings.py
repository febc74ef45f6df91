"""The settings of a process. Only this module reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones

from aggregates.currencies import IN_USE, WITHDRAWN
from infra.errors import Misconfigured
from infra.kafka.settings import KafkaSettings, kafka_settings, positive_number
from infra.postgres.connection import check_url
from infra.redis.address import redis_address
from infra.telemetry.settings import TelemetrySettings, telemetry_settings

CHUNK = 2000
"""Events that a follower reads, folds and applies at a time."""

CLOCKS = ("log", "wall")

MOST_KEPT = 32
"""Connections to PostgreSQL that one process may keep open."""


def jar_cache() -> Path:
    """Return the directory of the embedded Kafka's jars, which homes share."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "regulars" / "jars"


@dataclass(frozen=True)
class Settings:
    """``redis_url``: None for the embedded server. ``zone``, ``currency``: the shop's, for a log that has none yet.

    ``redis_may_evict``: whether read models are written to a Redis that may evict keys.
    ``database_url``: the log's; None for the home's embedded PostgreSQL, if it has one, else a SQLite file.
    ``keys_database_url``: the keys'; None for the log's. ``database_pool``: connections to PostgreSQL that stay open.
    ``kafka``: None for the embedded broker; ``jars``: the directory of its jars. ``retention``: days that topics keep records,
    None for ever; ``replication``: copies of each partition, None for up to 3, as many as there are brokers.
    ``private_webhooks``: whether webhooks may go to plain HTTP and to addresses that are not public.
    ``clock``: the time of ticks: ``log`` (the latest instant in the log), or ``wall`` for a live shop.
    ``observation``: how a process tells of itself.
    """

    home: Path
    redis_url: str | None = None
    zone: str = "UTC"
    currency: str = "USD"
    database_url: str | None = None
    keys_database_url: str | None = None
    database_pool: int = 2
    jars: Path = field(default_factory=jar_cache)
    kafka: KafkaSettings | None = None
    retention: int | None = None
    replication: int | None = None
    clock: str = "log"
    redis_may_evict: bool = False
    private_webhooks: bool = False
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)

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

    @property
    def broker(self) -> Path:
        return self.home / "kafka"


def from_environment() -> Settings:
    """Read ``REGULARS_HOME`` (default ``.regulars``), ``DATABASE_URL`` and the others. An empty variable counts as unset.

    Raises :class:`Misconfigured` if a value cannot be used.
    """
    zone = os.environ.get("REGULARS_ZONE") or "UTC"
    if zone not in available_timezones():
        raise Misconfigured(f"REGULARS_ZONE is {zone!r}; it must be an IANA time zone, such as Europe/Berlin.")
    currency = os.environ.get("REGULARS_CURRENCY") or "USD"
    if currency not in IN_USE | WITHDRAWN:
        raise Misconfigured(f"REGULARS_CURRENCY is {currency!r}; it must be an ISO 4217 code, such as EUR.")
    pool = os.environ.get("DATABASE_POOL") or "2"
    if not (pool.isascii() and pool.isdigit() and 1 <= int(pool) <= MOST_KEPT):
        raise Misconfigured(f"DATABASE_POOL is {pool!r}; it must be a number of connections from 1 to {MOST_KEPT}.")
    clock = os.environ.get("REGULARS_CLOCK") or "log"
    if clock not in CLOCKS:
        raise Misconfigured(f"REGULARS_CLOCK is {clock!r}; it must be {' or '.join(CLOCKS)}.")
    evict = os.environ.get("REDIS_ALLOW_EVICTION") or "no"
    if evict not in ("yes", "no"):
        raise Misconfigured(f"REDIS_ALLOW_EVICTION is {evict!r}; it must be yes or no.")
    private = os.environ.get("REGULARS_WEBHOOKS_PRIVATE") or "no"
    if private not in ("yes", "no"):
        raise Misconfigured(f"REGULARS_WEBHOOKS_PRIVATE is {private!r}; it must be yes or no.")
    return Settings(
        home=home_from(os.environ.get("REGULARS_HOME") or ".regulars"),
        redis_url=redis_address(os.environ),
        zone=zone,
        currency=currency,
        database_url=database("DATABASE_URL", os.environ.get("DATABASE_URL")),
        keys_database_url=database("KEYS_DATABASE_URL", os.environ.get("KEYS_DATABASE_URL")),
        database_pool=int(pool),
        jars=Path(os.environ.get("REGULARS_JARS") or jar_cache()).expanduser().resolve(),
        kafka=kafka_settings(os.environ),
        retention=positive_number(os.environ, "KAFKA_RETENTION_DAYS", "days, or unset to keep records for ever"),
        replication=positive_number(os.environ, "KAFKA_REPLICATION", "copies of each partition"),
        clock=clock,
        redis_may_evict=evict == "yes",
        private_webhooks=private == "yes",
        telemetry=telemetry_settings(os.environ),
    )


def home_from(name: str) -> Path:
    """Return a home's path. Raises :class:`Misconfigured` if it cannot be the name of a database file or a socket."""
    try:
        home = Path(name).expanduser().resolve()
        str(home).encode()
    except (RuntimeError, OSError, ValueError):
        raise Misconfigured(f"REGULARS_HOME is {name!r}, which is not a path in UTF-8: choose another.") from None
    return home


def database(name: str, url: str | None) -> str | None:
    return check_url(url, name) if url else None
