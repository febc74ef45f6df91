"""A local cluster: PostgreSQL, Kafka and Redis (embedded unless configured), a relay, workers and a ticker."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis
from infra.errors import Misconfigured
from infra.event_log.types import Shop
from infra.kafka.clients import admin_client
from infra.kafka.topics import ensure_topics
from infra.private_files import make_home
from infra.settings import Settings
from streams.kafka.topics import broker_settings
from streams.kafka.topics import topics as declared
from streams.running.app import App, running
from streams.running.processes import ManagedProcess, ProcessSupervisor

EVERY = 60  # seconds between ticks
Server: TypeAlias = EmbeddedPostgres | EmbeddedRedis | EmbeddedKafka

GUARD = "from streams.kafka.local_cluster import guard_servers; guard_servers()"


@dataclass(frozen=True)
class LocalCluster:
    """``app``: its log and read models. ``settings``: with the broker in use. ``processes``: relay, workers, ticker."""

    settings: Settings
    app: App
    processes: ProcessSupervisor
    servers: tuple[Server, ...]

    def tend(self) -> None:
        """Restart servers and processes that have died."""
        for server in self.servers:
            server.start()
        self.processes.tend()


@contextmanager
def local_cluster(
    settings: Settings, workers: int, shop: Shop | None, say: Callable[[str], None] = lambda _: None
) -> Iterator[LocalCluster]:
    """Run a cluster until the end of the block, which stops servers and processes. The data stays.

    Raises :class:`Misconfigured` if this home's read models follow the log itself.
    """
    make_home(settings.home)
    servers = tuple(embedded_servers(settings))
    with ExitStack() as stack:
        stack.enter_context(stopped_with_us(settings, servers))
        for server in servers:
            say(f"starting {type(server).__name__.removeprefix('Embedded')}")
            stack.callback(server.stop)
            server.start()
        settings = replace(settings, kafka=broker_settings(settings))
        app = stack.enter_context(running(settings, shop))
        app.views.fed_by("topics")
        if settings.kafka is None:
            raise Misconfigured("There is no broker.")
        with admin_client(settings.kafka) as admin:
            ensure_topics(admin, declared(settings), settings.replication)
        processes = ProcessSupervisor(
            settings.home / "logs",
            {"REGULARS_HOME": str(settings.home), "KAFKA_BOOTSTRAP": settings.kafka.bootstrap, **ports(settings)},
        )
        stack.callback(processes.stop)
        say("starting the relay and the workers")
        processes.start("relay", "relay")
        for number in range(workers):
            processes.start(f"worker-{number + 1}", "worker")
        processes.start("tick", "tick", "--every", str(EVERY))
        yield LocalCluster(settings, app, processes, servers)


@contextmanager
def stopped_with_us(settings: Settings, servers: tuple[Server, ...]) -> Iterator[None]:
    """Have another process stop the servers if this one is killed before the end of the block."""
    guard = ManagedProcess("guard", settings.home / "logs" / "guard.log", GUARD)
    guard.start(fresh_log=True)
    guard.send(servers)
    try:
        yield
        guard.send("stopped")
    finally:
        guard.release()
        guard.wait()


def guard_servers() -> None:
    """Wait for the end of our parent, and stop the servers that it has left: what :func:`stopped_with_us` starts."""
    servers = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our parent
    if not sys.stdin.buffer.read():
        for server in reversed(servers):
            server.stop()


def embedded_servers(settings: Settings) -> Iterator[Server]:
    """Yield the servers that are not configured elsewhere. A home with its log in a SQLite file keeps it."""
    if not settings.database_url and not settings.log.exists():
        yield EmbeddedPostgres(settings.postgres)
    if not settings.redis_url:
        yield EmbeddedRedis(settings.valkey)
    if not settings.kafka:
        yield EmbeddedKafka(settings.broker, settings.jars)


def ports(settings: Settings) -> dict[str, str]:
    """Return the variable that lets each process choose its own metrics port, if metrics are served."""
    return {} if settings.telemetry.port is None else {"REGULARS_METRICS_PORT": "0"}
