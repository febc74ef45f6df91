"""The topics of a shop: what they hold the registry says; how many partitions they have is fixed for ever.

Events and behaviour are keyed by whom they concern, and a key's events keep their order. The learner reads in the order of the
log, so its topic has one partition.
"""

from __future__ import annotations

from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic
from infra.packaged.kafka import EmbeddedKafka
from infra.settings import Settings
from streams.registry import EVENTS as STORED
from streams.registry import LEARNED, TOPICS

EVENTS = "regulars.events"
BEHAVIOUR = "regulars.behaviour"
LEARNING = "regulars.learning"
DEAD_LETTERS = "regulars.dead-letters"
PARTITIONS = 16
RELAYED = (EVENTS, BEHAVIOUR, LEARNING)
"""Those that the relay fills from the log. Dead letters are the workers'."""


def topics(settings: Settings) -> tuple[Topic, ...]:
    """Every topic as it is declared."""
    return (
        Topic(EVENTS, PARTITIONS, settings.retention),
        Topic(BEHAVIOUR, PARTITIONS, settings.retention),
        Topic(LEARNING, 1, settings.retention),
        Topic(DEAD_LETTERS, 1, compacted=True),
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
    types: dict[str, set[type]] = {EVENTS: set(), BEHAVIOUR: set(), LEARNING: set(LEARNED)}
    for event, topic in TOPICS.items():
        types[topic].add(event)
    return {
        topic: frozenset(
            STORED[event].stored_name(version) for event in carries for version in range(1, len(STORED[event].upcasts) + 2)
        )
        for topic, carries in types.items()
    }
