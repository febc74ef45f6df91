"""What an environment may say of Kafka, and what is said where it does not fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.errors import Misconfigured
from infra.kafka.settings import KafkaSettings, kafka_settings, positive_number

PLACE = {"KAFKA_BOOTSTRAP": "kafka-1:9092,10.0.0.7:9092,[::1]:9092"}
WHO = {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_USERNAME": "shop", "KAFKA_PASSWORD": "secret"}


def test_without_a_bootstrap_there_is_no_kafka_named() -> None:
    assert kafka_settings({}) is None
    assert kafka_settings({"KAFKA_BOOTSTRAP": "", **WHO}) is None


def test_everything_is_read(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("CA", "CERT", "KEY")}
    for path in files.values():
        path.touch()
    told = {**PLACE, **WHO, "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **{f"KAFKA_{n}_FILE": str(p) for n, p in files.items()}}
    assert kafka_settings(told) == KafkaSettings(
        PLACE["KAFKA_BOOTSTRAP"], "SASL_SSL", files["CA"], files["CERT"], files["KEY"], "SCRAM-SHA-512", "shop", "secret"
    )
    assert "secret" not in repr(kafka_settings(told))


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"KAFKA_BOOTSTRAP": "http://kafka:9092"}, "must be host:port"),
        ({"KAFKA_BOOTSTRAP": "kafka"}, "must be host:port"),
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "must be one of PLAINTEXT, SSL"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **WHO, "KAFKA_SASL_MECHANISM": "GSSAPI"}, "must be one of PLAIN, SCRAM"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **WHO, "KAFKA_PASSWORD": ""}, "SASL_SSL needs"),
        ({**WHO}, "have no use with PLAINTEXT"),
        ({"KAFKA_CA_FILE": __file__}, "have no use with PLAINTEXT"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": "/nowhere.pem"}, "there is no such file"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_KEY_FILE": __file__}, "without KAFKA_CERT_FILE"),
    ],
)
def test_what_does_not_fit_is_said_without_the_password(told: dict[str, str], sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence) as fault:
        kafka_settings(PLACE | told)
    assert "secret" not in str(fault.value)


def test_numbers_are_whole_and_not_nothing() -> None:
    assert positive_number({}, "KAFKA_RETENTION_DAYS", "days") is None
    assert positive_number({"KAFKA_RETENTION_DAYS": "30"}, "KAFKA_RETENTION_DAYS", "days") == 30
    for value in ("0", "-1", "1.5", "ever", "²"):
        with pytest.raises(Misconfigured, match="must be a number of days"):
            positive_number({"KAFKA_RETENTION_DAYS": value}, "KAFKA_RETENTION_DAYS", "days")
