"""Real processes, killed: a relay in the midst of its stream, and the broker under a relay."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.embedded.kafka import EmbeddedKafka
from infra.event_log.log import EventLog
from infra.kafka.clients import admin_client
from infra.kafka.settings import KafkaSettings
from infra.settings import Settings
from streams.kafka import topics as declared
from tests.kafka.conftest import SHOPPINGS
from tests.kafka.shelf import PATIENCE, Shelf, append, eventually, running, without_repeats

STARTING = """
import sys
from pathlib import Path
from infra.embedded.kafka import EmbeddedKafka
EmbeddedKafka(Path(sys.argv[1]), Path(sys.argv[2])).start()
print("started", flush=True)
sys.stdin.read()
"""
LEFT_OPEN = ("ignore:unclosed <socket:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
"""kafka-python forgets its sockets where a broker goes away while it connects."""

Process = subprocess.Popen[bytes]


@pytest.fixture
def real(kafka: KafkaSettings) -> Iterator[Shelf]:
    yield Shelf(kafka)
    with admin_client(kafka) as admin:
        admin.delete_topics([*declared.RELAYED])


def holder(settings: Settings) -> int:
    """The process that has the lease; 0 if none has."""
    with sqlite3.connect(settings.log) as connection:
        found = connection.execute("SELECT owner FROM lease").fetchone()
    connection.close()
    return int(found[0].split("/")[1]) if found else 0


@contextmanager
def relay_command(settings: Settings, kafka: KafkaSettings) -> Iterator[Process]:
    environment = os.environ | {"REGULARS_HOME": str(settings.home), "KAFKA_BOOTSTRAP": kafka.bootstrap}
    command = [sys.executable, "-c", "from streams.cli.main import main; main()", "relay"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_relay_killed_in_mid_stream_is_followed_by_the_one_that_stands_by(
    log: EventLog, settings: Settings, kafka: KafkaSettings, real: Shelf
) -> None:
    with relay_command(settings, kafka) as one, relay_command(settings, kafka) as two:
        by_id = {process.pid: process for process in (one, two)}
        eventually(lambda: holder(settings) in by_id and len(log.relayed()) == len(declared.RELAYED))
        victim = by_id[holder(settings)]
        for shoppings in range(SHOPPINGS, 3 * SHOPPINGS, 10):
            append(settings, shoppings)
            if shoppings == 2 * SHOPPINGS:
                eventually(lambda: max(entry.position for entry in log.relayed().values()) > 0)
                victim.kill()
        assert victim.wait(PATIENCE) == -signal.SIGKILL
        (other,) = (process for process in by_id.values() if process is not victim)
        eventually(lambda: all(entry.position == log.head() for entry in log.relayed().values()))
        assert holder(settings) == other.pid
        other.send_signal(signal.SIGTERM)
        _, told = other.communicate(timeout=PATIENCE)
        assert other.returncode == 0
        assert b"relay_stopped" in told.splitlines()[-1]
        assert holder(settings) == 0, "the lease is given back"
    expected = real.expected(log)
    for name, found in real.found().items():
        assert {number: without_repeats(records) for number, records in found.items()} == expected[name]


def start_and_be_killed(broker: EmbeddedKafka) -> None:
    """The broker outlives whoever started it."""
    command = [sys.executable, "-c", STARTING, str(broker.directory), str(broker.cache)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout
        assert starter.stdout.readline() == b"started\n"
        starter.kill()


@pytest.mark.filterwarnings(*LEFT_OPEN)
def test_a_broker_that_is_killed_and_comes_back_lacks_nothing(
    log: EventLog, settings: Settings, broker: EmbeddedKafka, shelf: Shelf
) -> None:
    with running(shelf.relay(log, lease=600)) as relaying:
        append(settings, SHOPPINGS + 20)
        eventually(lambda: relaying.relay.log.relayed() != {})
        process = broker.server_pid()
        assert process
        os.kill(process, signal.SIGKILL)
        eventually(lambda: broker.server_pid() is None)
        append(settings, SHOPPINGS + 40)
        start_and_be_killed(broker)
        assert broker.server_pid() not in (process, 0, None)
        append(settings, SHOPPINGS + 60)
        relaying.reaches(log.head())
    expected = shelf.expected(log)
    for name, found in shelf.found().items():
        assert {number: without_repeats(records) for number, records in found.items()} == expected[name]
    gc.collect()  # while the warnings are expected


def test_a_relay_stops_when_told_to_though_no_broker_answers(log: EventLog) -> None:
    nobody = KafkaSettings("127.0.0.1:1")

    async def run() -> None:
        stopping = asyncio.Event()
        relaying = asyncio.create_task(Shelf(nobody, "nowhere").relay(log).run(stopping))
        await asyncio.sleep(0.5)
        stopping.set()
        await asyncio.wait_for(relaying, PATIENCE)

    asyncio.run(run())
    assert log.take_lease("somebody else", 1), "the lease is given back"
