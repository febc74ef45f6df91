"""Make the topics anew, so that a relay fills them from the beginning of the log.

Publishing the log again into the same topic would mend no gap, since workers skip positions that are lower than the last one.
A new topic they read from its beginning, and take what they lack.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import uuid4

from kafka.admin import KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError

from infra.errors import Misconfigured, Unreachable
from infra.event_log.log import EventLog
from infra.kafka.clients import admin_client
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import topic_ids
from streams.kafka.topics import GROUP

LEASE = 60.0  # seconds
PATIENCE, LOOK = 30.0, 0.1  # seconds until a deleted topic is gone, and between looks


def delete_relayed(log: EventLog, kafka: KafkaSettings, topics: Sequence[str]) -> list[str]:
    """Delete the topics that a relay fills, and return which there were. The next relay makes and fills them.

    Raises :class:`Misconfigured` while a relay or a worker runs, and :class:`Unreachable` if Kafka is too slow to delete them.
    """
    owner = f"republish/{uuid4().hex}"
    if not log.take_lease(owner, LEASE):
        raise Misconfigured("A relay is at work: end it first. If it was killed, its lease ends within ten seconds.")
    try:
        with admin_client(kafka) as admin:
            if workers := live_workers(admin):
                raise Misconfigured(
                    f"Workers are at work ({workers}): end them first. One that was killed counts for 6 s more."
                )
            found = list(topic_ids(admin, topics))
            if found:
                admin.delete_topics(found)
            await_gone(admin, found)
    finally:
        log.release_lease(owner)
    return found


def live_workers(admin: KafkaAdminClient) -> int:
    """Return how many members the group of the workers has."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return len(admin.describe_groups([GROUP])[GROUP]["members"])
        except CoordinatorNotAvailableError:  # a broker that nobody has asked for a group makes its own topic for them first
            if time.monotonic() > until:
                raise
            time.sleep(LOOK)


def await_gone(admin: KafkaAdminClient, topics: Sequence[str]) -> None:
    """Wait until there are no such topics. Raises :class:`Unreachable` if they stay."""
    until = time.monotonic() + PATIENCE
    while left := topic_ids(admin, topics) if topics else {}:
        if time.monotonic() > until:
            raise Unreachable(f"Kafka has not deleted {', '.join(sorted(left))} yet: run this again.")
        time.sleep(LOOK)
