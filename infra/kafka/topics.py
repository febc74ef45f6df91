"""Topics as they are declared: made where they are not, and compared where they are. None is ever changed or removed here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import TopicAlreadyExistsError

from infra.errors import Misconfigured, Unreachable

MOST_COPIES = 3
DAY = 86_400_000  # milliseconds


@dataclass(frozen=True)
class Topic:
    """``retention``: days, None for ever. ``largest``: bytes of a batch. ``compacted``: the latest of each key stays."""

    name: str
    partitions: int
    retention: int | None = None
    largest: int = 16 * 2**20
    compacted: bool = False

    def configuration(self, replication: int) -> dict[str, str]:
        """What it is made with. All but one copy must have a record before it counts as written.

        The broker dates records itself: by a relay's clock that is wrong, it would refuse them, or remove them as too old.
        """
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention * DAY if self.retention else -1),
            "max.message.bytes": str(self.largest),
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": str(max(1, replication - 1)),
        }


def declare(admin: KafkaAdminClient, topics: Iterable[Topic], replication: int | None = None) -> dict[str, dict[str, str]]:
    """Make the topics that are missing and verify the others; what differs of each without harm: setting → what the broker has.

    Raises :class:`Misconfigured` if one has another number of partitions.
    """
    wanted = {topic.name: topic for topic in topics}
    found = partition_counts(admin, wanted)
    missing = [topic for name, topic in wanted.items() if name not in found]
    if missing:
        create(admin, missing, replication or min(MOST_COPIES, len(admin.describe_cluster()["brokers"])))
        found = partition_counts(admin, wanted)
    for name, count in found.items():
        if count != wanted[name].partitions:
            raise Misconfigured(
                f"The topic {name} has {count} partitions instead of {wanted[name].partitions}, and another number would part "
                "events of one key: end relay and workers, delete the topic, and run `regulars relay`, which makes it anew."
            )
    return differences(admin, wanted)


def create(admin: KafkaAdminClient, topics: Sequence[Topic], replication: int) -> None:
    asked = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": replication,
            "configs": topic.configuration(replication),
        }
        for topic in topics
    }
    with contextlib.suppress(TopicAlreadyExistsError):  # somebody was faster; what there is then is verified
        admin.create_topics(asked)
    admin.wait_for_topics(list(asked))


def differences(admin: KafkaAdminClient, wanted: Mapping[str, Topic]) -> dict[str, dict[str, str]]:
    """Settings of topics that are not as declared. How many copies there must be is the operator's own affair."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
    told = admin.describe_configs(resources, config_filter="all")["topic"]
    configured = {name: {setting: entry["value"] for setting, entry in told.get(name, {}).items()} for name in wanted}
    return {
        name: {
            setting: configured[name][setting]
            for setting, value in topic.configuration(1).items()
            if setting != "min.insync.replicas" and configured[name].get(setting, value) != value  # one being deleted has none
        }
        for name, topic in wanted.items()
    }


def partition_counts(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    """Of those that exist."""
    return {topic["name"]: len(topic["partitions"]) for topic in described(admin, names)}


def topic_ids(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, str]:
    """The broker's own identifier of each topic that exists: a topic that is deleted and made anew has another.

    Raises :class:`Unreachable` if the broker is too old to have any.
    """
    found = {topic["name"]: topic.get("topic_id") for topic in described(admin, names)}
    if None in found.values():
        raise Unreachable("This Kafka does not tell the identifiers of topics: use version 3 or later.")
    return {name: str(identifier) for name, identifier in found.items()}


def described(admin: KafkaAdminClient, names: Iterable[str]) -> list[dict[str, Any]]:
    return [topic for topic in admin.describe_topics(list(names)) if topic["error_code"] == 0]
