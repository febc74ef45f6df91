"""``regulars relay --republish``: topics that have lost records are made anew, and hold the whole log again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from kafka import KafkaConsumer, TopicPartition

from infra.errors import Misconfigured
from infra.event_log.log import EventLog
from infra.kafka.clients import admin_client, kafka_python_options
from infra.kafka.settings import KafkaSettings
from infra.settings import Settings
from streams.kafka.relay.republish import delete_relayed, live_workers
from streams.kafka.topics import GROUP
from tests.kafka.shelf import Shelf, eventually, running


@contextmanager
def member_of_workers(kafka: KafkaSettings, topic: str) -> Iterator[None]:
    """Be in the group of the workers until the block ends."""
    ended = threading.Event()

    def consume() -> None:
        consumer = KafkaConsumer(topic, **kafka_python_options(kafka), group_id=GROUP, enable_auto_commit=False)
        while not ended.is_set():
            consumer.poll(timeout_ms=100)
        consumer.close()

    thread = threading.Thread(target=consume)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def has_workers(kafka: KafkaSettings) -> bool:
    with admin_client(kafka) as admin:
        return live_workers(admin) > 0


def test_topics_that_lost_their_beginning_hold_the_whole_log_again(
    log: EventLog, settings: Settings, kafka: KafkaSettings
) -> None:
    shelf = Shelf(kafka)  # the topics that the command knows
    if there := list(shelf.ids()):
        shelf.delete(*there)
        eventually(lambda: not shelf.ids())
    with running(shelf.relay(log)) as relaying:
        relaying.reaches(log.head())
    before = shelf.ids()
    with admin_client(kafka) as admin:
        admin.delete_records({TopicPartition(name, 0): 1 for name, ends in shelf.ends().items() if ends[0]})
    assert shelf.found() != shelf.expected(log)

    environment = {"REGULARS_HOME": str(settings.home), "KAFKA_BOOTSTRAP": kafka.bootstrap}
    command = [sys.executable, "-c", "from streams.cli.main import main; main()", "relay", "--republish"]
    process = subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: process.poll() is not None or is_made_anew(shelf, log, before))
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate()[1]
    assert process.returncode == 0, said
    assert shelf.found() == shelf.expected(log)


def is_made_anew(shelf: Shelf, log: EventLog, before: Mapping[str, str]) -> bool:
    """Return whether every topic is another than before, and the whole log is in it."""
    relayed, ids = log.relayed(), shelf.ids()
    return {*ids} == {*before} and all(
        id_ != before[name] and relayed[name].topic_id == id_ and relayed[name].position == log.head()
        for name, id_ in ids.items()
    )


def test_republishing_refuses_while_a_worker_lives(log: EventLog, kafka: KafkaSettings, shelf: Shelf) -> None:
    with running(shelf.relay(log)) as relaying:
        relaying.reaches(log.head())
    before = shelf.ids()
    with member_of_workers(kafka, shelf.topics[0].name):
        eventually(lambda: has_workers(kafka))
        with pytest.raises(Misconfigured, match=r"Workers are at work \(1\): end them first"):
            delete_relayed(log, kafka, list(before))
    eventually(lambda: not has_workers(kafka))
    assert shelf.ids() == before
    assert sorted(delete_relayed(log, kafka, list(before))) == sorted(before)
    assert shelf.ids() == {}


def test_republishing_refuses_while_a_relay_lives(log: EventLog, kafka: KafkaSettings, shelf: Shelf) -> None:
    with running(shelf.relay(log)) as relaying:
        relaying.reaches(log.head())
        with pytest.raises(Misconfigured, match="A relay is at work: end it first"):
            delete_relayed(log, kafka, list(shelf.ids()))
    assert shelf.found() == shelf.expected(log)
