"""From the settings to the two client libraries: aiokafka carries the records, kafka-python does the administration."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from infra import certificates
from infra.certificates import Certificates
from infra.errors import Unreachable
from infra.kafka.settings import KafkaSettings

logging.getLogger("kafka").setLevel(logging.INFO)  # below that it tells all that it was given, passwords too

KNOCK = 3.0  # seconds to reach one broker
PATIENCE = 10_000  # milliseconds until a broker that does not answer counts as unreachable


def asynchronous(settings: KafkaSettings) -> dict[str, Any]:
    """The arguments of every aiokafka client."""
    return {
        "bootstrap_servers": settings.bootstrap.split(","),
        "security_protocol": settings.protocol,
        "ssl_context": context(settings),
        "sasl_mechanism": settings.mechanism or "PLAIN",
        "sasl_plain_username": settings.username,
        "sasl_plain_password": settings.password,
    }


def synchronous(settings: KafkaSettings) -> dict[str, Any]:
    """The arguments of every kafka-python client."""
    return asynchronous(settings) | {"sasl_mechanism": settings.mechanism}


def context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """Who is trusted, and who we are, where the connection is encrypted."""
    if not settings.protocol.endswith("SSL"):
        return None
    return certificates.context(Certificates("KAFKA", settings.ca, settings.certificate, settings.key))


@contextmanager
def administering(settings: KafkaSettings) -> Iterator[KafkaAdminClient]:
    """An administrator's client. Raises :class:`Unreachable` where the broker does not answer, or refuses."""
    with answering(settings), closing(admin(settings)) as client:
        yield client


@contextmanager
def consuming(settings: KafkaSettings, **more: Any) -> Iterator[KafkaConsumer]:
    """A consumer of no group, to be given its partitions. ``more``: of the library's own arguments."""
    with answering(settings):
        consumer = KafkaConsumer(**synchronous(settings), enable_auto_commit=False, request_timeout_ms=PATIENCE, **more)
        try:
            yield consumer
        finally:
            consumer.close(autocommit=False, timeout_ms=1000)


@contextmanager
def answering(settings: KafkaSettings) -> Iterator[None]:
    """Say what went wrong in a sentence, whatever the client raised."""
    knock(settings)
    try:
        yield
    except (KafkaError, OSError) as fault:
        told = str(fault).splitlines()[0] if str(fault) else ""
        maybe = "; it may refuse KAFKA_USERNAME and KAFKA_PASSWORD" if settings.username else ""
        reason = f"{type(fault).__name__}: {told[:300]}"
        raise Unreachable(f"Kafka at {settings.bootstrap} cannot be used ({reason}){maybe}.") from fault


def knock(settings: KafkaSettings) -> None:
    """See whether one of the brokers opens, and is who it says: kafka-python would try for long, and not tell which it is.

    Raises :class:`Unreachable`.
    """
    reasons = []
    trusted = context(settings)
    for place in settings.bootstrap.split(","):
        host, _, port = place.rpartition(":")
        host = host.strip("[]")
        try:
            with socket.create_connection((host, int(port)), KNOCK) as opened:
                if trusted:
                    trusted.wrap_socket(opened, server_hostname=host).close()
                return
        except (OSError, OverflowError) as fault:
            reasons.append(str(fault))
    raise Unreachable(f"Kafka does not answer at {settings.bootstrap} ({reasons[0]}): start it, or correct KAFKA_BOOTSTRAP.")


def admin(settings: KafkaSettings) -> KafkaAdminClient:
    return KafkaAdminClient(**synchronous(settings), bootstrap_timeout_ms=PATIENCE, request_timeout_ms=PATIENCE)
