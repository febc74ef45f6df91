"""Clients of Kafka: aiokafka for the records, kafka-python for administration."""

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

logging.getLogger("kafka").setLevel(logging.INFO)  # at DEBUG it logs its arguments, passwords too

PROBE_TIMEOUT = 3.0  # seconds to reach one broker
REQUEST_TIMEOUT_MS = 10_000  # a broker that does not answer for so long counts as unreachable


def aiokafka_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return the arguments of every aiokafka client."""
    return {
        "bootstrap_servers": settings.bootstrap.split(","),
        "security_protocol": settings.protocol,
        "ssl_context": ssl_context_for(settings),
        "sasl_mechanism": settings.mechanism or "PLAIN",
        "sasl_plain_username": settings.username,
        "sasl_plain_password": settings.password,
    }


def kafka_python_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return the arguments of every kafka-python client."""
    return aiokafka_options(settings) | {"sasl_mechanism": settings.mechanism}


def ssl_context_for(settings: KafkaSettings) -> ssl.SSLContext | None:
    """Return the TLS context of an encrypted connection, None for a plain one."""
    if not settings.protocol.endswith("SSL"):
        return None
    return certificates.ssl_context(Certificates("KAFKA", settings.ca, settings.certificate, settings.key))


@contextmanager
def admin_client(settings: KafkaSettings) -> Iterator[KafkaAdminClient]:
    """Open an administrator's client. Raises :class:`Unreachable` if the broker does not answer or refuses."""
    with translate_kafka_errors(settings), closing(new_admin_client(settings)) as client:
        yield client


@contextmanager
def consumer_client(settings: KafkaSettings, **more: Any) -> Iterator[KafkaConsumer]:
    """Open a consumer without a group, for the caller to assign partitions. ``more``: further arguments of the library."""
    with translate_kafka_errors(settings):
        consumer = KafkaConsumer(
            **kafka_python_options(settings), enable_auto_commit=False, request_timeout_ms=REQUEST_TIMEOUT_MS, **more
        )
        try:
            yield consumer
        finally:
            consumer.close(autocommit=False, timeout_ms=1000)


@contextmanager
def translate_kafka_errors(settings: KafkaSettings) -> Iterator[None]:
    """Raise any error of the client as :class:`Unreachable`, with a sentence."""
    probe_broker(settings)
    try:
        yield
    except (KafkaError, OSError) as fault:
        first_line = str(fault).splitlines()[0] if str(fault) else ""
        maybe = "; it may refuse KAFKA_USERNAME and KAFKA_PASSWORD" if settings.username else ""
        reason = f"{type(fault).__name__}: {first_line[:300]}"
        raise Unreachable(f"Kafka at {settings.bootstrap} cannot be used ({reason}){maybe}.") from fault


def probe_broker(settings: KafkaSettings) -> None:
    """Raise :class:`Unreachable` unless one of the brokers accepts a connection and proves its name.

    kafka-python itself would retry for long, and hide the reason.
    """
    reasons = []
    trusted = ssl_context_for(settings)
    for place in settings.bootstrap.split(","):
        host, _, port = place.rpartition(":")
        host = host.strip("[]")
        try:
            with socket.create_connection((host, int(port)), PROBE_TIMEOUT) as opened:
                if trusted:
                    trusted.wrap_socket(opened, server_hostname=host).close()
                return
        except (OSError, OverflowError) as fault:
            reasons.append(str(fault))
    raise Unreachable(f"Kafka does not answer at {settings.bootstrap} ({reasons[0]}): start it, or correct KAFKA_BOOTSTRAP.")


def new_admin_client(settings: KafkaSettings) -> KafkaAdminClient:
    return KafkaAdminClient(
        **kafka_python_options(settings), bootstrap_timeout_ms=REQUEST_TIMEOUT_MS, request_timeout_ms=REQUEST_TIMEOUT_MS
    )
