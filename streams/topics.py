"""The topics of a shop: what they hold the registry says; how many partitions they have is fixed for ever.

Events and behaviour are keyed by whom they concern, and a key's events keep their order. The learner reads in the order of the
log, so its topic has one partition.
"""

from __future__ import annotations

from infra.kafka.topics import Topic
from infra.settings import Settings

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
