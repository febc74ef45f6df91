"""A real worker reports exact counts and lags, health that follows Redis, and logs without personal values."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kafka import KafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.valkey import EmbeddedRedis
from infra.kafka.clients import admin_client
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import ensure_topics
from infra.settings import Settings
from streams.cli.main import regulars
from streams.kafka.relay.relay import Relay
from streams.kafka.topics import topics
from streams.queries.lag import Lag, lag_of
from streams.registry import DOMAIN
from streams.running import app as bootstrap
from tests.kafka.conftest import SHOPPINGS
from tests.kafka.shelf import PATIENCE, Shelf, append, eventually, running

WORKER = [sys.executable, "-c", "from streams.cli.main import main; main()", "worker"]
STRANGE = b'{"email":"ann@example.org"}'


@dataclass
class Shop:
    """A worker at work on all that was published by ``relay``. ``before``: what there was to do before it came."""

    settings: Settings
    shelf: Shelf
    redis: EmbeddedRedis
    environment: dict[str, str]
    before: Lag
    log: Path
    relay: Relay

    def told(self) -> list[dict[str, Any]]:
        """Its log; the last line may not be whole yet."""
        return [json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]

    @property
    def port(self) -> int:
        return next((line["port"] for line in self.told() if line["event"] == "metrics_served"), 0)

    def asked(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path)
        response = connection.getresponse()
        told = response.read().decode()
        connection.close()
        return response.status, told

    def metric(self, name: str) -> Counter[str]:
        """A sample's values, summed by topic."""
        found: Counter[str] = Counter()
        for family in text_string_to_metric_families(self.asked("/metrics")[1]):
            for sample in family.samples:
                if sample.name == name:
                    found[sample.labels.get("topic", "")] += int(sample.value)
        return found

    def published(self) -> dict[str, int]:
        return {topic: sum(ends) for topic, ends in self.shelf.ends().items()}

    def lag(self) -> Lag:
        with bootstrap.running(self.settings) as app:
            return lag_of(app)

    def command(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(regulars, words, env=self.environment)
        return done.exit_code, done.output


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, broker: EmbeddedKafka, history: Path) -> Iterator[Shop]:
    place = tmp_path_factory.mktemp("observed")
    redis = EmbeddedRedis(place / "valkey")
    redis.start()
    broker.start()
    kafka = KafkaSettings(broker.bootstrap)
    settings = Settings(Path(shutil.copytree(history, place / "home")), redis_url=redis.url, kafka=kafka)
    shelf, declared = Shelf(kafka), topics(settings)
    with admin_client(kafka) as admin:
        ensure_topics(admin, declared, 1)
    with bootstrap.running(settings) as app:
        app.views.fed_by("topics")
        relay = shelf.relay(app.log)
        with running(relay) as relaying:
            relaying.reaches(app.log.head())
        before = lag_of(app)
    environment = {"REGULARS_HOME": str(settings.home), "REDIS_URL": redis.url, "KAFKA_BOOTSTRAP": kafka.bootstrap}
    own = {"REGULARS_METRICS_PORT": "0", "REGULARS_HEALTH_PATIENCE": "3", "REGULARS_LOG_LEVEL": "DEBUG", "REGULARS_LOG": "json"}
    log = place / "worker.log"
    with log.open("wb") as file, subprocess.Popen(WORKER, env={**os.environ, **environment, **own}, stderr=file) as process:
        made = Shop(settings, shelf, redis, environment, before, log, relay)
        try:
            eventually(lambda: process.poll() is not None or made.port > 0)
            assert process.poll() is None, log.read_text()
            eventually(lambda: made.asked("/readyz")[0] == 200)
            yield made
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            redis.stop()
    with admin_client(kafka) as admin:
        admin.delete_topics([topic.name for topic in declared])


def test_without_a_worker_every_published_record_is_lag(shop: Shop) -> None:
    published = shop.published()
    assert {(fold.source, fold.lag) for fold in shop.before.folds} == set(published.items())
    assert shop.before.records == sum(published.values())
    assert (shop.before.unpublished, shop.before.letters) == (0, 0)
    assert shop.before.head == shop.before.relayed


def test_the_relay_counts_what_it_published(shop: Shop) -> None:
    value = shop.relay.metrics.registry.get_sample_value
    assert value("regulars_relay_records_total") == sum(shop.published().values())
    assert value("regulars_relay_sessions_total") == value("regulars_relay_leader") == 1
    assert shop.relay.metrics.not_ready_reasons() == []


def test_a_workers_counters_equal_the_records_it_was_given(shop: Shop) -> None:
    published = shop.published()
    eventually(lambda: shop.metric("regulars_records_applied_total") == published)
    assert shop.metric("regulars_records_total") == published
    assert set(shop.metric("regulars_records_skipped_total").values()) == {0}
    assert shop.metric("regulars_assigned_partitions") == shop.shelf.counts
    assert shop.metric("regulars_apply_seconds_count").keys() == published.keys()
    eventually(lambda: shop.metric("regulars_kafka_up") == shop.metric("regulars_redis_up") == {"": 1})
    eventually(lambda: shop.metric("regulars_lag_records").keys() == published.keys())
    assert set(shop.metric("regulars_lag_records").values()) == {0}


def test_nothing_lags_once_all_is_applied(shop: Shop) -> None:
    eventually(lambda: shop.lag().records == 0)
    status, told = shop.command("lag", "--json", "--check", "0")
    assert status == 0
    found = json.loads(told)
    assert (found["records"], found["relay"]["behind"]) == (0, 0)
    ends = {fold["source"]: sum(part["end"] for part in fold["partitions"]) for fold in found["folds"]}
    assert ends == shop.published()


def test_a_record_that_is_no_event_is_counted_and_logged_without_its_content(shop: Shop) -> None:
    producer = KafkaProducer(bootstrap_servers=shop.shelf.kafka.bootstrap, acks="all")
    sent = producer.send(DOMAIN, STRANGE, b"m-1", partition=5).get(PATIENCE)
    producer.close()
    eventually(lambda: shop.metric("regulars_dead_letters_total")[DOMAIN] == 1)
    eventually(lambda: any(line["event"] == "dead_letter" for line in shop.told()))
    (line,) = (line for line in shop.told() if line["event"] == "dead_letter")
    assert {"topic": DOMAIN, "partition": 5, "offset": sent.offset, "key": "m-1", "fold": "*"}.items() <= line.items()
    assert shop.lag().letters == 1
    assert "1 dead letters waiting" in shop.command("lag")[1]


def test_a_workers_health_follows_redis(shop: Shop) -> None:
    eventually(lambda: shop.asked("/healthz")[0] == 200)
    process = shop.redis.server_pid()
    assert process
    os.kill(process, signal.SIGSTOP)
    try:
        eventually(lambda: shop.asked("/healthz")[0] == 503)
        status, told = shop.asked("/healthz")
        assert re.search("Redis has been silent for", told)
        assert status == 503
        assert shop.asked("/metrics")[0] == 200
    finally:
        os.kill(process, signal.SIGCONT)
    eventually(lambda: shop.asked("/healthz") == (200, '{"healthy": true, "reasons": []}\n'))
    assert shop.asked("/readyz")[0] == 200


def test_every_log_line_is_json_without_personal_values(shop: Shop) -> None:
    assert {"metrics_served", "partitions_assigned"} <= {line["event"] for line in shop.told()}
    assert all({"event", "level", "logger", "time"} <= line.keys() for line in shop.told())
    for personal in ("Name of", "example.org", "ann@"):
        assert personal not in shop.log.read_text()


def test_a_failed_check_exits_with_its_status(shop: Shop) -> None:
    """The relay has stopped: what is appended now nobody publishes."""
    append(shop.settings, SHOPPINGS + 2)
    found = shop.lag()
    assert found.unpublished > 0
    assert shop.command("lag", "--check", str(found.unpublished))[0] == 0
    assert shop.command("lag", "--check", str(found.unpublished - 1))[0] == 3
