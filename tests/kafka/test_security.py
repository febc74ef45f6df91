"""A broker that asks who one is and speaks TLS: by certificate and password one gets in, and not otherwise."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from infra.embedded.kafka import EmbeddedKafka
from infra.errors import Misconfigured, Unreachable
from infra.event_log.log import EventLog
from infra.kafka.clients import admin_client, consumer_client
from infra.kafka.settings import KafkaSettings
from tests.kafka.certificates import Authority
from tests.kafka.shelf import Shelf, running

PASSWORD = "a pass, with = and 'quotes' 密"  # noqa: S105
LEFT_OPEN = ("ignore:unclosed <socket:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates") / "ours")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path, authority: Authority) -> Iterator[KafkaSettings]:
    """One that wants a certificate of the authority, and then a password."""
    server, client = authority.sign("server"), authority.sign("client")
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    broker = EmbeddedKafka(
        tmp_path_factory.mktemp("secure"),
        kafka_jars,
        {
            "listener.security.protocol.map": "BROKER:SASL_SSL,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.broker.plain.sasl.jaas.config": (
                f'{plain} username="broker" password="inner" user_broker="inner" user_first="temporary";'
            ),
            "listener.name.broker.scram-sha-256.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(server.both),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(authority.certificate),
        },
    )
    broker.start()
    plainly = KafkaSettings(
        broker.bootstrap,
        "SASL_SSL",
        authority.certificate,
        client.certificate,
        client.key,
        mechanism="PLAIN",
        username="first",
        password="temporary",  # noqa: S106
    )
    with admin_client(plainly) as admin:
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion("shop", ScramMechanism.SCRAM_SHA_256, PASSWORD.encode(), iterations=4096)]
        )
    yield plainly
    broker.stop()


def test_a_relay_gets_in_by_certificate_and_password(log: EventLog, secure: KafkaSettings) -> None:
    for settings in (secure, replace(secure, mechanism="SCRAM-SHA-256", username="shop", password=PASSWORD)):
        shelf = Shelf(settings, f"{settings.mechanism}.")
        with running(shelf.relay(log)) as relaying:
            relaying.reaches(log.head())
        log.release_lease(relaying.relay.owner)
        assert shelf.found() == shelf.expected(log)


@pytest.mark.filterwarnings(*LEFT_OPEN)
def test_a_wrong_password_is_a_sentence_that_does_not_tell_it(secure: KafkaSettings, caplog: pytest.LogCaptureFixture) -> None:
    wrong = replace(secure, password="guessed")  # noqa: S106
    refused = pytest.raises(Unreachable, match="may refuse KAFKA_USERNAME")
    with caplog.at_level(logging.DEBUG), refused as told, admin_client(wrong):
        pass
    assert "guessed" not in str(told.value) + repr(wrong) + caplog.text
    gc.collect()  # while the warnings are expected


def test_a_certificate_of_somebody_else_is_not_trusted(secure: KafkaSettings, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Authority(tmp_path_factory.mktemp("certificates") / "another's")
    with pytest.raises(Unreachable, match="certificate verify failed"), consumer_client(replace(secure, ca=other.certificate)):
        pass


def test_files_that_are_no_certificates_are_refused_before_anything_is_tried(
    secure: KafkaSettings, authority: Authority
) -> None:
    client = authority.sign("other")
    with pytest.raises(Misconfigured, match="must be PEM files"), admin_client(replace(secure, key=client.key)):
        pass
