"""The way through a Kafka that demands TLS, a certificate and a user: topics, relay and worker, each as its own user."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner
from kafka import KafkaProducer

from infra.embedded.kafka import EmbeddedKafka
from infra.kafka.clients import admin_client, kafka_python_options
from infra.kafka.settings import KafkaSettings, kafka_settings
from infra.redis.checkpoints import Checkpoint
from infra.settings import Settings
from streams.cli.main import regulars as commands
from streams.registry import DOMAIN, LEARNING, carried
from streams.running.app import running
from tests.secured import brokers
from tests.secured.authority import Authority, Signed
from tests.secured.conftest import ROOT
from tests.shop import requests

SHOPPINGS = 30
PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class GuardedKafka:
    broker: EmbeddedKafka
    authority: Authority
    client: Signed

    def variables(self, user: str, mechanism: str = "PLAIN") -> dict[str, str]:
        return brokers.variables(
            self.broker.bootstrap.replace("127.0.0.1", "localhost"), user, mechanism, self.authority, self.client
        )

    def settings(self, user: str, **changes: str) -> KafkaSettings:
        found = kafka_settings(self.variables(user) | changes)
        assert found
        return found


@pytest.fixture(scope="module")
def guarded(
    tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path, authority: Authority, regulars: Signed
) -> Iterator[GuardedKafka]:
    broker = brokers.guarded(tmp_path_factory.mktemp("guarded"), kafka_jars, authority)
    broker.start()
    try:
        made = GuardedKafka(broker, authority, regulars)
        with admin_client(made.settings("admin")) as admin:
            brokers.admit(admin, (ROOT / "docs/operating.md").read_text())
        yield made
    finally:
        broker.stop()


@contextmanager
def started(settings: Settings, variables: dict[str, str], command: str) -> Iterator[subprocess.Popen[str]]:
    """The real command in a process of its own, told to end when it is wanted no more."""
    told = {"REGULARS_HOME": str(settings.home), "REDIS_URL": str(settings.redis_url), **variables}
    words = [str(Path(sys.executable).parent / "regulars"), command]
    with subprocess.Popen(words, env=os.environ | told, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, said
            assert "uthoriz" not in said
        finally:
            process.kill()


def until_folded(client: redis.Redis, position: int, *processes: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while Checkpoint.parse(client.get(f"v1:checkpoint:learner.4:{LEARNING}:0")).position < position:
        assert not any(process.poll() for process in processes)
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_topics_relay_and_worker_need_no_more_than_they_may(
    guarded: GuardedKafka, settings: Settings, client: redis.Redis
) -> None:
    with running(settings) as app:
        for request in requests(SHOPPINGS):
            app.handler.handle(request)
        learned = carried(app.terms)[LEARNING]
        last = max(told.position for told in app.log.recorded(0, app.log.head()) if type(told.event) in learned)
    operator = {
        "REGULARS_HOME": str(settings.home),
        "REDIS_URL": str(settings.redis_url),
        **guarded.variables("operator", "SCRAM-SHA-512"),
    }

    def said(*words: str) -> str:
        result = CliRunner().invoke(commands, words, env=operator, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    assert DOMAIN in said("topics")
    with (
        started(settings, guarded.variables("relay", "PLAIN"), "relay") as relay,
        started(settings, guarded.variables("worker", "SCRAM-SHA-512"), "worker") as worker,
    ):
        until_folded(client, last, relay, worker)
        with closing(KafkaProducer(**kafka_python_options(guarded.settings("admin")))) as producer:
            producer.send(DOMAIN, b"not ours", partition=0).get(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while not (told := said("dead-letters", "list", "--json")).strip():
            assert not worker.poll()
            assert time.monotonic() < deadline
        assert json.loads(told.splitlines()[0])
        assert said("lag")
    assert client.get("v1:card:m-3")
