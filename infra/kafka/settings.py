"""How to reach Kafka, read from an environment and checked before anything connects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.certificates import certificates_from
from infra.errors import Misconfigured

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True)
class KafkaSettings:
    """``bootstrap``: ``host:port``, separated by commas. ``ca``: None for the authorities that the system trusts."""

    bootstrap: str
    protocol: str = "PLAINTEXT"
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def kafka_settings(environment: Mapping[str, str]) -> KafkaSettings | None:
    """Return the settings, None if ``KAFKA_BOOTSTRAP`` is unset. Raises :class:`Misconfigured` for unusable values."""
    bootstrap = environment.get("KAFKA_BOOTSTRAP")
    if not bootstrap:
        return None
    if not all(re.fullmatch(r"[^\s:/]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", place) for place in bootstrap.split(",")):
        raise Misconfigured(f"KAFKA_BOOTSTRAP is {bootstrap!r}; it must be host:port, separated by commas.")
    protocol = one_of(environment, "KAFKA_SECURITY_PROTOCOL", PROTOCOLS) or PROTOCOLS[0]
    mechanism = one_of(environment, "KAFKA_SASL_MECHANISM", MECHANISMS)
    files = certificates_from(environment, "KAFKA")
    username, password = environment.get("KAFKA_USERNAME") or None, environment.get("KAFKA_PASSWORD") or None
    if protocol.startswith("SASL") and not (mechanism and username and password):
        raise Misconfigured(f"{protocol} needs KAFKA_SASL_MECHANISM, KAFKA_USERNAME and KAFKA_PASSWORD.")
    if not protocol.startswith("SASL") and (mechanism or username or password):
        raise Misconfigured(f"KAFKA_SASL_MECHANISM, KAFKA_USERNAME and KAFKA_PASSWORD have no use with {protocol}.")
    if files and not protocol.endswith("SSL"):
        raise Misconfigured(f"{files.variables} have no use with {protocol}.")
    return KafkaSettings(bootstrap, protocol, files.ca, files.certificate, files.key, mechanism, username, password)


def one_of(environment: Mapping[str, str], variable: str, allowed: tuple[str, ...]) -> str | None:
    value = environment.get(variable) or None
    if value is not None and value not in allowed:
        raise Misconfigured(f"{variable} is {value!r}; it must be one of {', '.join(allowed)}.")
    return value


def positive_number(environment: Mapping[str, str], variable: str, unit: str) -> int | None:
    value = environment.get(variable)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise Misconfigured(f"{variable} is {value!r}; it must be a number of {unit}.")
    return int(value)
