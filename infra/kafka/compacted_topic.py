"""A compacted topic of one partition, read and written as a table: the latest value of each key."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from kafka import KafkaProducer, TopicPartition

from infra.errors import Misconfigured, Unreachable
from infra.kafka.clients import PATIENCE, answering, consuming, synchronous
from infra.kafka.settings import KafkaSettings

T = TypeVar("T")

SILENCE = 30.0  # seconds without a record before the end


def table(settings: KafkaSettings, topic: str, take: Callable[[str, bytes], T]) -> dict[str, T]:
    """What ``take`` makes of each key's latest value, as far as the topic reached when this began; oldest first.

    Raises :class:`Misconfigured` if there is no such topic, :class:`Unreachable` where Kafka does not answer.
    """
    found: dict[str, T] = {}
    with consuming(settings, check_crcs=False) as consumer:  # in Python these take a second a few MiB
        if not consumer.partitions_for_topic(topic):
            raise Misconfigured(f"Kafka at {settings.bootstrap} has no topic {topic}: run `regulars topics`.")
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end, heard = consumer.end_offsets([place])[place], time.monotonic()
        while consumer.position(place) < end:
            for record in consumer.poll(timeout_ms=200).get(place, ()):
                key, heard = (record.key or b"").decode(errors="replace"), time.monotonic()
                found.pop(key, None)
                if record.value is not None:
                    found[key] = take(key, record.value)
            if time.monotonic() - heard > SILENCE:
                raise Unreachable(f"Kafka at {settings.bootstrap} does not tell what is in {topic}.")
    return found


def settle(settings: KafkaSettings, topic: str, key: str) -> None:
    """Remove a key, and return when that is written. Raises :class:`Unreachable` where Kafka does not answer."""
    with answering(settings):
        producer = KafkaProducer(**synchronous(settings), acks="all", max_block_ms=PATIENCE, request_timeout_ms=PATIENCE)
        try:
            producer.send(topic, key=key.encode(), value=None, partition=0).get(PATIENCE / 1000)
        finally:
            producer.close(1)
