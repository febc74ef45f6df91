"""A local cluster to be hurt: real servers, a relay and workers as processes, a log of some weeks, and what to expect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis
from infra.kafka.clients import admin_client
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import ensure_topics
from infra.settings import Settings, jar_cache
from streams.kafka.topics import RELAYED, topics
from streams.running.app import App, running
from streams.running.positions import fold_positions
from streams.running.processes import ManagedProcess, ProcessSupervisor
from tests.cluster.replica import Replica
from tests.packaged import forget

PATIENCE = 300.0  # seconds in which nothing at all moves: a busy machine is no failure
LOOK = 5.0  # seconds between looks at whether anything does
MID_STREAM = 0.2  # of the log, in the slowest fold


class Cluster:
    """``weeks``: of Complete Journey in its log. Every run folds all of it from nothing."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True)
        self.redis = EmbeddedRedis(home / "valkey")
        self.settings = Settings(home, redis_url=self.redis.url, jars=jar_cache())
        self.postgres = EmbeddedPostgres(self.settings.postgres)
        self.kafka = EmbeddedKafka(self.settings.broker, self.settings.jars)
        self.replica: Replica | None = None
        self.weeks = 0
        self._stack = ExitStack()
        for server in (self.postgres, self.redis, self.kafka):
            server.start()
            self._stack.callback(server.stop)
        self.broker = KafkaSettings(self.kafka.bootstrap)
        self.environment = {
            "REGULARS_HOME": str(home),
            "REDIS_URL": self.redis.url,
            "KAFKA_BOOTSTRAP": self.broker.bootstrap,
        }
        self._declare()
        self.app: App = self._stack.enter_context(running(replace(self.settings, kafka=self.broker)))
        self.relays = ProcessSupervisor(home / "logs", self.environment)
        self.workers = ProcessSupervisor(home / "logs", self.environment)

    def close(self) -> None:
        self.empty()
        self.relays.stop()
        self._stack.close()
        forget(self.postgres)

    def feed(self, weeks: int) -> None:
        """The log, and by a relay the topics, unless they have as much."""
        if weeks <= self.weeks:
            return
        self.regulars("import", "complete-journey", "--weeks", str(weeks))
        self.weeks = weeks
        if not self.relays.kept:
            self.relays.start("relay", "relay")
        self.until(self.relayed, "the relay does not reach the head of the log")

    def relayed(self) -> bool:
        found = self.app.log.relayed()
        return len(found) == len(RELAYED) and all(entry.position >= self.app.log.head() for entry in found.values())

    def empty(self) -> None:
        """No read models, and nobody who makes any."""
        self.workers.stop()
        self.workers.kept.clear()
        if self.replica:
            self.replica.stop()
            self.replica = None
            self.redis.start()
        self.app.views.client.flushall()

    def partly_relayed(self) -> bool:
        found = self.app.log.relayed()
        return any(0 < entry.position < self.app.log.head() for entry in found.values())

    def unpublish(self) -> None:
        """Have the relay find that the topics are gone."""
        with admin_client(self.broker) as admin:
            admin.delete_topics([*RELAYED])

    def follow_redis(self) -> Replica:
        self.replica = Replica(self.redis, self.settings.home / "replica")
        return self.replica

    def start_workers(self, count: int) -> list[ManagedProcess]:
        return [self.workers.start(f"worker-{number}", "worker") for number in range(count)]

    def until_mid_stream(self) -> None:
        self.until(lambda: self.slowest() > MID_STREAM * self.app.log.head(), "no worker gets anywhere")

    def slowest(self) -> int:
        return min(standing.position for standing in fold_positions(self.app))

    def until_done(self) -> None:
        self.until(lambda: not any(standing.behind for standing in fold_positions(self.app)), "the folds do not reach the head")

    def until(self, true: Callable[[], bool], otherwise: str) -> None:
        deadline, seen = time.monotonic() + PATIENCE, None
        while True:
            self.workers.tend()
            self.relays.tend()
            if time.monotonic() > deadline - PATIENCE + LOOK and seen != (seen := self._places()):
                deadline = time.monotonic() + PATIENCE
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{otherwise}: {fold_positions(self.app)} {[one.last_log_line() for one in self.workers.kept]}"
                )
            try:
                if true():
                    return
            except Exception as fault:
                if time.monotonic() > deadline - 5:
                    raise AssertionError(otherwise) from fault
            time.sleep(0.05)

    def _places(self) -> object:
        """How far relay and folds have come; nothing, if that cannot be told now."""
        try:
            return self.app.log.relayed(), fold_positions(self.app)
        except Exception:  # noqa: BLE001 - a server is away, which is what is tried
            return None

    def digest(self) -> Any:
        return json.loads(self.regulars("digest", "--json", "--wait", "60"))

    def regulars(self, *words: str) -> str:
        return regulars(self.environment, *words)

    def _declare(self) -> None:
        with admin_client(self.broker) as admin:
            ensure_topics(admin, topics(self.settings))


@dataclass(frozen=True)
class Embedded:
    """The same history in the embedded mode."""

    home: Path

    def digest(self, weeks: int) -> Any:
        environment = {"REGULARS_HOME": str(self.home)}
        try:
            regulars(environment, "import", "complete-journey", "--weeks", str(weeks))
            return json.loads(regulars(environment, "digest", "--json"))
        finally:
            EmbeddedRedis(self.home / "valkey").stop()


def regulars(environment: dict[str, str], *words: str) -> str:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("REGULARS", "REDIS", "KAFKA", "DATABASE"))
    }
    command = [sys.executable, "-c", "from streams.cli.main import main; main()", *words]
    done = subprocess.run(command, env={**inherited, **environment}, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr
    return done.stdout
