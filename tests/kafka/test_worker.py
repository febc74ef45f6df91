"""A real worker on real topics: unreadable records, events of a newer program, failing folds, dead letters on their way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
import redis
from click.testing import CliRunner, Result
from kafka import KafkaProducer

from infra.codec import key_of
from infra.errors import Unreachable
from infra.event_log.types import Row
from infra.kafka.clients import admin_client, kafka_python_options
from infra.kafka.records import partition_of, to_record
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, create, end_offsets, partition_counts, topic_ids
from infra.redis.views import Views
from infra.settings import Settings
from streams.cli.main import regulars
from streams.kafka.dead_letters.rebuild import RetryFailed
from streams.kafka.topics import DEAD_LETTERS, GROUP, topics
from streams.projecting.loaders import fold_name
from streams.registry import DOMAIN, EVENTS, LEARNING, carried, folds, sources
from streams.running.app import running
from tests.kafka.shelf import eventually
from tests.kafka.test_chunks import committed
from tests.shop import TERMS
from tests.streams.kafka.topic_records import read_models

PARTITIONS = 3
LARGEST = 16 * 2**20 - 2048  # bytes, with which a record still is one that Kafka takes
JUNK = (b"\xff\x00junk", b'{"id":7,"type":"click"}', b"[" * 2000, b"")

BROKEN = """
from dataclasses import replace
from streams import registry

genuine = registry.product_view.project

def project(delta, event):
    if type(event).__name__ == "OrderPaid" and event.order == "5":
        raise ZeroDivisionError("a fault of the fold")
    genuine(delta, event)

registry.product_view = replace(registry.product_view, project=project)
"""
MAIN = "from streams.cli.main import main; main()"


@dataclass
class Shop:
    """The topics that the commands know, with a shop's history, on the shared broker; a Redis database of its own."""

    kafka: KafkaSettings
    settings: Settings
    rows: Sequence[Row]
    client: redis.Redis
    workers: list[subprocess.Popen[str]]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "REGULARS_HOME": str(self.settings.home),
            "REDIS_URL": str(self.settings.redis_url),
            "KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "COLUMNS": "200",
        }

    def publish(self, poison: dict[int, bytes | None] | None = None) -> None:
        """Everything, with ``poison`` before the rows at some positions, in the partition that the row goes to."""
        producer = KafkaProducer(**kafka_python_options(self.kafka), acks="all", max_request_size=17 * 2**20)
        for row in self.rows:
            key = key_of(row.state).encode()
            for topic in carrying(row):
                where = 0 if topic == LEARNING else partition_of(key, PARTITIONS)
                if topic == DOMAIN and poison and row.position in poison:
                    producer.send(topic, poison[row.position], partition=where)
                producer.send(topic, to_record(row), key=key, partition=where)
        producer.flush()
        producer.close()

    def work(self, before: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", before + MAIN, "worker"],
            env=os.environ | self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.workers.append(process)
        return process

    def lag(self) -> dict[tuple[str, int], int]:
        """Records that are not in Redis yet, by partition."""
        counts = {name: 1 if name == LEARNING else PARTITIONS for name in carried(TERMS)}
        with admin_client(self.kafka) as admin:
            ends, ids = end_offsets(admin, counts), topic_ids(admin, counts)
        found = {}
        for topic, count in counts.items():
            names = [fold_name(fold) for fold in folds(TERMS) if topic in sources(fold)]
            for number in range(count):
                places = Views(self.client).checkpoints_in(f"{topic}:{number}", names).values()
                found[topic, number] = ends[topic][number] - min(place.next_offset(ids[topic]) for place in places)
        return found

    def all_taken(self) -> bool:
        return not any(self.lag().values())

    def committed(self) -> dict[tuple[str, int], int]:
        with admin_client(self.kafka) as admin:
            return {(place.topic, place.partition): offset for place, offset in committed(admin, GROUP).items()}

    def letters(self, *words: str) -> Result:
        return CliRunner().invoke(regulars, ["dead-letters", *words], env=self.environment)

    def listed(self) -> list[dict[str, Any]]:
        told = self.letters("list", "--json")
        assert told.exit_code == 0, told.output
        return [orjson.loads(line) for line in told.stdout.splitlines()]

    @property
    def held(self) -> dict[str, Any]:
        return read_models(self.client)


def carrying(row: Row) -> list[str]:
    """The topics that a row goes to."""
    return [name for name, events in carried(TERMS).items() if any(row.name in EVENTS[event].stored_names for event in events)]


@pytest.fixture
def shop(kafka: KafkaSettings, settings: Settings, tmp_path: Path, valkey_url: str) -> Iterator[Shop]:
    ours = replace(settings, redis_url=f"{valkey_url}?db=1")
    with redis.Redis.from_url(str(ours.redis_url)) as client:
        client.flushdb()
        with admin_client(kafka) as admin:
            wanted = [replace(topic, partitions=min(PARTITIONS, topic.partitions)) for topic in topics(ours)]
            remake(admin, wanted)
        with running(replace(ours, redis_url=f"{valkey_url}?db=2")) as app:
            rows = app.log.since(0, 10**6)
        made = Shop(kafka, ours, rows, client, [])
        yield made
        for worker in made.workers:
            end(worker)


def remake(admin: Any, wanted: Sequence[Topic]) -> None:
    """Topics without anything in them."""
    names = [topic.name for topic in wanted]
    if there := list(partition_counts(admin, names)):
        admin.delete_topics(there)
        eventually(lambda: not partition_counts(admin, names))
    create(admin, wanted, 1)


def end(worker: subprocess.Popen[str]) -> tuple[int, str]:
    """As SIGTERM does: exit status and what it said."""
    if worker.poll() is None:
        worker.send_signal(signal.SIGTERM)
    said = worker.communicate()[1] if worker.stderr and not worker.stderr.closed else ""
    return worker.returncode, said


@pytest.fixture
def exact(shop: Shop, valkey_url: str) -> dict[str, Any]:
    """What the embedded follower makes of the log."""
    with redis.Redis.from_url(f"{valkey_url}?db=2") as client:
        client.flushdb()
        with running(replace(shop.settings, redis_url=f"{valkey_url}?db=2")) as app:
            app.follower().catch_up()
        return read_models(client)


@pytest.mark.parametrize("largest", [2**20, pytest.param(LARGEST, marks=pytest.mark.slow)])
def test_records_that_no_fold_can_read_become_dead_letters_and_the_rest_is_exact(
    shop: Shop, exact: dict[str, Any], largest: int
) -> None:
    domain = [
        row.position for row in shop.rows if any(row.name in EVENTS[event].stored_names for event in carried(TERMS)[DOMAIN])
    ]
    random = Random(5)
    oversized = random.randbytes(largest)
    poison: dict[int, bytes | None] = dict(zip(random.sample(domain[10:], 5), (*JUNK, oversized), strict=True))
    shop.publish(poison)
    worker = shop.work()
    eventually(shop.all_taken)
    assert end(worker)[0] == 0
    assert shop.held == exact

    listed = shop.listed()
    assert len(listed) == 5
    assert all(letter["fold"] == "*" and "not an event of ours" in letter["reason"] for letter in listed)
    raw = {shop.letters("show", letter["id"], "--raw").stdout_bytes for letter in listed}
    assert raw == {value or b"" for value in poison.values()}
    assert all(letter["id"] in shop.letters("list").stdout for letter in listed)
    told = shop.letters("show", listed[0]["id"])
    assert listed[0]["id"] in told.stdout
    assert isinstance(shop.letters("retry", listed[0]["id"]).exception, RetryFailed)
    unknown = shop.letters("drop", "nothing/1")
    assert (unknown.exit_code, "There is no dead letter nothing/1" in unknown.output) == (1, True)
    for letter in listed:
        assert shop.letters("drop", letter["id"]).exit_code == 0
    assert shop.letters("list").stdout == "There are no dead letters.\n"


def test_dead_letters_without_kafka_end_with_a_sentence(shop: Shop) -> None:
    nowhere = replace(shop, kafka=KafkaSettings("127.0.0.1:1"))
    told = nowhere.letters("list").exception
    assert isinstance(told, Unreachable)
    assert "Kafka does not answer at 127.0.0.1:1" in str(told)


def test_an_event_of_a_newer_program_stops_the_worker_and_commits_nothing_behind_it(shop: Shop) -> None:
    row = next(row for row in shop.rows[100:] if row.name == "OrderPaid")
    later = b'{"position":%d,"name":"OrderGifted","event":{"key":"x","order":"1"}}' % row.position
    shop.publish({row.position: later})
    worker = shop.work()
    status, said = worker.wait(), worker.communicate()[1]
    assert status == 1
    assert "an event named OrderGifted, which this version of Regulars does not know: upgrade it" in said
    stuck = DOMAIN, partition_of(key_of(row.state).encode(), PARTITIONS)
    assert shop.lag()[stuck] > 0
    with admin_client(shop.kafka) as admin:
        end_offset = end_offsets(admin, {DOMAIN: PARTITIONS})[DOMAIN][stuck[1]]
    assert shop.committed().get(stuck, 0) <= end_offset - shop.lag()[stuck]
    assert shop.listed() == []


def test_a_newer_program_puts_in_what_one_fold_could_not_take(shop: Shop, exact: dict[str, Any]) -> None:
    shop.publish()
    worker = shop.work(BROKEN)
    eventually(shop.all_taken)
    assert shop.held != exact
    (letter,) = shop.listed()
    assert (letter["fold"], "ZeroDivisionError" in letter["reason"]) == ("product.1", True)
    told = shop.letters("retry", letter["id"])
    assert told.exit_code == 0, told.exception
    assert told.stdout.splitlines()[-1] == f"{letter['id']} is settled."
    assert shop.held == exact
    assert shop.listed() == []
    assert shop.letters("retry", letter["id"]).exit_code == 1
    assert end(worker)[0] == 0


def test_a_worker_waits_until_kafka_takes_its_dead_letter(shop: Shop, exact: dict[str, Any]) -> None:
    shop.publish()
    first = shop.work()
    eventually(shop.all_taken)
    with admin_client(shop.kafka) as admin:
        admin.delete_topics([DEAD_LETTERS])
        eventually(lambda: not partition_counts(admin, [DEAD_LETTERS]))
    row = next(row for row in shop.rows[100:] if row.name == "OrderPaid")
    stuck = DOMAIN, partition_of(key_of(row.state).encode(), PARTITIONS)
    shop.publish({row.position: b"junk"})  # and everything once more
    eventually(lambda: [place for place, lag in shop.lag().items() if lag] == [stuck])
    assert first.poll() is None
    assert end(first)[0] == 0
    assert shop.lag()[stuck] > 0

    with admin_client(shop.kafka) as admin:
        create(admin, [topic for topic in topics(shop.settings) if topic.name == DEAD_LETTERS], 1)
    second = shop.work()
    eventually(shop.all_taken)
    assert [letter["fold"] for letter in shop.listed()] == ["*"]
    assert end(second)[0] == 0
    assert shop.held == exact
