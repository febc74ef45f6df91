"""The topics of a shop: what they hold the registry says; how many partitions they have is fixed for ever.

Events and behaviour are keyed by whom they concern, and a key's events keep their order. The learner reads in the order of the
log, so its topic has one partition.
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
PARTITIONS = 16
LARGEST_LETTER = 24 * 2**20  # bytes: a record of 16 MiB in Base64, and its reason
RELAYED = (DOMAIN, BEHAVED, LEARNING)
"""Those that the relay fills from the log. Dead letters are the workers'."""


def topics(settings: Settings) -> tuple[Topic, ...]:
    """Every topic as it is declared."""
    return (
        Topic(DOMAIN, PARTITIONS, settings.retention),
        Topic(BEHAVED, PARTITIONS, settings.retention),
        Topic(LEARNING, 1, settings.retention),
        Topic(DEAD_LETTERS, 1, largest=LARGEST_LETTER, compacted=True),
    )


def broker(settings: Settings) -> KafkaSettings:
    """The Kafka to use: the one named, else the embedded one, started if need be."""
    if settings.kafka:
        return settings.kafka
    embedded = EmbeddedKafka(settings.broker, settings.jars)
    embedded.start()
    return KafkaSettings(embedded.bootstrap)


def carried() -> dict[str, frozenset[str]]:
    """Which events each topic carries, by all the names that they were ever stored by."""
    return {
        topic: frozenset(name for event in events for name in EVENTS[event].stored_names)
        for topic, events in registry.carried(Programme()).items()
    }
