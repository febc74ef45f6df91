"""The packaged broker, made to demand TLS, a certificate and a user, and to let each user do what the operator's page says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from infra.embedded.kafka import EmbeddedKafka
from tests.secured.authority import Authority, Signed

USERS = ("operator", "relay", "worker")
RIGHTS = re.compile(r"^\| `(\w+)`[^|]*\| (`\w+`(?:, `\w+`)*) \| (topic|topics|group)\b[^`|]*`([\w.-]+)` \|$", re.MULTILINE)
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


def guarded(directory: Path, cache: Path, authority: Authority) -> EmbeddedKafka:
    """A broker whose users have their names as passwords; ``admin`` may do all."""
    server = authority.sign("broker")
    passwords = " ".join(f'user_{user}="{user}"' for user in ("admin", *USERS))
    properties = {
        "listener.security.protocol.map": "BROKER:SASL_SSL,CONTROLLER:PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(server.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "listener.name.broker.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.broker.plain.sasl.jaas.config": f'{LOGIN} username="admin" password="admin" {passwords};',
        "listener.name.broker.scram-sha-512.sasl.jaas.config": SCRAM,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:admin;User:ANONYMOUS",  # the controller's listener knows nobody
    }
    return EmbeddedKafka(directory, cache, properties)


def variables(bootstrap: str, user: str, mechanism: str, authority: Authority, client: Signed) -> dict[str, str]:
    """Of a process that is this user."""
    return {
        "KAFKA_BOOTSTRAP": bootstrap,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": mechanism,
        "KAFKA_USERNAME": user,
        "KAFKA_PASSWORD": user,
        "KAFKA_CA_FILE": str(authority.file),
        "KAFKA_CERT_FILE": str(client.certificate),
        "KAFKA_KEY_FILE": str(client.key),
    }


def admit(admin: KafkaAdminClient, page: str) -> None:
    """Give each user its rights, and a password for SCRAM as well."""
    admin.create_acls(list(rights(page)))
    scram = [UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, user) for user in USERS]
    assert not any(admin.alter_user_scram_credentials(scram).values())


def rights(page: str) -> Iterator[ACL]:
    for user, operations, what, name in RIGHTS.findall(page):
        pattern = ACLResourcePatternType.PREFIXED if what == "topics" else ACLResourcePatternType.LITERAL
        kind = ResourceType.GROUP if what == "group" else ResourceType.TOPIC
        for operation in operations_of(operations):
            yield ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name, pattern))


def operations_of(told: str) -> Iterable[ACLOperation]:
    """
    >>> list(operations_of("`Read`, `DescribeConfigs`"))
    [<ACLOperation.READ: 3>, <ACLOperation.DESCRIBE_CONFIGS: 10>]
    """
    for name in re.findall(r"\w+", told):
        yield ACLOperation[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()]
