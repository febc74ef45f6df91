"""The topics of a shop. The registry says what they hold; their number of partitions never changes.

Events and behaviour have a key (a member, a session …), and the events of a key keep their order. The learner reads in the
order of the log, so its topic has one partition.
"""

from __future__ import annotations

from aggregates.programme import Programme
from infra.embedded.kafka import EmbeddedKafka
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic
from infra.settings import Settings
from streams import registry
from streams.registry import BEHAVED, DOMAIN, EVENTS, LEARNING

DEAD_LETTERS = "regulars.dead-letters"
GROUP = "regulars"
"""The consumer group of the workers."""

PARTITIONS = 16
LARGEST_LETTER = 24 * 2**20  # bytes: a record of 16 MiB in Base64, and its reason
RELAYED = (DOMAIN, BEHAVED, LEARNING)
"""The topics that the relay fills from the log. Workers fill the one of dead letters."""


def topics(settings: Settings) -> tuple[Topic, ...]:
    """Return every topic as it should be."""
    return (
        Topic(DOMAIN, PARTITIONS, settings.retention),
        Topic(BEHAVED, PARTITIONS, settings.retention),
        Topic(LEARNING, 1, settings.retention),
        Topic(DEAD_LETTERS, 1, largest=LARGEST_LETTER, compacted=True),
    )


def broker_settings(settings: Settings) -> KafkaSettings:
    """Return how to reach Kafka: as configured, or the embedded one, started if necessary."""
    if settings.kafka:
        return settings.kafka
    embedded = EmbeddedKafka(settings.broker, settings.jars)
    embedded.start()
    return KafkaSettings(embedded.bootstrap)


def carried() -> dict[str, frozenset[str]]:
    """Return the events each topic carries: topic → every name that they were ever stored under."""
    return {
        topic: frozenset(name for event in events for name in EVENTS[event].stored_names)
        for topic, events in registry.carried(Programme()).items()
    }
