"""Where things are: the one place that reads the environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones

from infra.faults import Misconfigured

CHUNK = 2000
"""Rows a follower reads, folds and applies at a time."""


def jar_cache() -> Path:
    """Where homes share the jars of the embedded Kafka."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "regulars" / "jars"


PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True)
class KafkaSettings:
    """How to reach Kafka. ``bootstrap``: ``host:port``, several parted by commas. Without a ``ca`` the system's are trusted."""

    bootstrap: str
    protocol: str = "PLAINTEXT"
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Settings:
    """``redis_url``: None for the embedded server. ``zone``, ``currency``: the shop's, for a log that has none yet.

    ``kafka``: None for the embedded broker; ``jars``: where its own are kept. ``retention``: days that topics keep records,
    None for ever; ``replication``: copies of each partition, None for up to 3, as many as there are brokers.
    """

    home: Path
    redis_url: str | None = None
    zone: str = "UTC"
    currency: str = "USD"
    jars: Path = field(default_factory=jar_cache)
    kafka: KafkaSettings | None = None
    retention: int | None = None
    replication: int | None = None

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
    """Read ``REGULARS_HOME`` (``.regulars`` here, if unset), ``REDIS_URL``, ``REGULARS_ZONE``, ``REGULARS_CURRENCY``,
    ``REGULARS_JARS`` and what begins with ``KAFKA_``.

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
        kafka=kafka_from_environment(),
        retention=whole("KAFKA_RETENTION_DAYS", "days, or unset to keep records for ever"),
        replication=whole("KAFKA_REPLICATION", "copies of each partition"),
    )


def kafka_from_environment() -> KafkaSettings | None:
    """None if ``KAFKA_BOOTSTRAP`` is unset. Raises :class:`Misconfigured` if values cannot be used, or not together."""
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP")
    if not bootstrap:
        return None
    if not all(re.fullmatch(r"[^\s:/]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", place) for place in bootstrap.split(",")):
        raise Misconfigured(f"KAFKA_BOOTSTRAP is {bootstrap!r}; it must be host:port, several parted by commas.")
    protocol = one_of("KAFKA_SECURITY_PROTOCOL", PROTOCOLS) or PROTOCOLS[0]
    mechanism = one_of("KAFKA_SASL_MECHANISM", MECHANISMS)
    ca, certificate, key = map(named_file, ("KAFKA_CA_FILE", "KAFKA_CERT_FILE", "KAFKA_KEY_FILE"))
    username, password = os.environ.get("KAFKA_USERNAME") or None, os.environ.get("KAFKA_PASSWORD") or None
    if protocol.startswith("SASL") and not (mechanism and username and password):
        raise Misconfigured(f"{protocol} needs KAFKA_SASL_MECHANISM, KAFKA_USERNAME and KAFKA_PASSWORD.")
    if not protocol.startswith("SASL") and (mechanism or username or password):
        raise Misconfigured(f"KAFKA_SASL_MECHANISM, KAFKA_USERNAME and KAFKA_PASSWORD would not be used with {protocol}.")
    if not protocol.endswith("SSL") and (ca or certificate or key):
        raise Misconfigured(f"KAFKA_CA_FILE, KAFKA_CERT_FILE and KAFKA_KEY_FILE would not be used with {protocol}.")
    if key and not certificate:
        raise Misconfigured("KAFKA_KEY_FILE is set without KAFKA_CERT_FILE.")
    return KafkaSettings(bootstrap, protocol, ca, certificate, key, mechanism, username, password)


def one_of(variable: str, allowed: tuple[str, ...]) -> str | None:
    value = os.environ.get(variable) or None
    if value is not None and value not in allowed:
        raise Misconfigured(f"{variable} is {value!r}; it must be one of {', '.join(allowed)}.")
    return value


def named_file(variable: str) -> Path | None:
    value = os.environ.get(variable)
    if not value:
        return None
    path = Path(value).expanduser().resolve()
    if not path.is_file():
        raise Misconfigured(f"{variable} is {value!r}, where there is no file.")
    return path


def whole(variable: str, unit: str) -> int | None:
    value = os.environ.get(variable)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise Misconfigured(f"{variable} is {value!r}; it must be a number of {unit}.")
    return int(value)
