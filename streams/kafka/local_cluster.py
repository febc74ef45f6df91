"""A whole local cluster: PostgreSQL, Kafka and Redis from packages unless others are named, a relay, and workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis
from infra.errors import Misconfigured
from infra.event_log.types import Shop
from infra.kafka.clients import administering
from infra.kafka.topics import declare
from infra.settings import Settings
from streams.kafka.topics import broker
from streams.kafka.topics import topics as declared
from streams.running.app import App, running
from streams.running.processes import Processes

EVERY = 60  # seconds between ticks


@dataclass(frozen=True)
class LocalCluster:
    """``app``: its log and its read models; ``settings``: with the broker that it uses; ``processes``: relay and workers."""

    settings: Settings
    app: App
    processes: Processes
    servers: tuple[EmbeddedPostgres | EmbeddedRedis | EmbeddedKafka, ...]

    def tend(self) -> None:
        """Start again what has died."""
        for server in self.servers:
            server.start()
        self.processes.tend()


@contextmanager
def local_cluster(
    settings: Settings, workers: int, shop: Shop | None, say: Callable[[str], None] = lambda _: None
) -> Iterator[LocalCluster]:
    """Everything running, until the end of the block; what was started here is stopped there, the data stays.

    Raises :class:`Misconfigured` if this home's read models are kept up from the log itself.
    """
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    servers = tuple(packaged(settings))
    with ExitStack() as stack:
        for server in servers:
            say(f"starting {type(server).__name__.removeprefix('Embedded')}")
            stack.callback(server.stop)
            server.start()
        settings = replace(settings, kafka=broker(settings))
        app = stack.enter_context(running(settings, shop))
        app.views.fed_by("topics")
        if settings.kafka is None:
            raise Misconfigured("There is no broker.")
        with administering(settings.kafka) as admin:
            declare(admin, declared(settings), settings.replication)
        processes = Processes(
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


def packaged(settings: Settings) -> Iterator[EmbeddedPostgres | EmbeddedRedis | EmbeddedKafka]:
    """The servers that no setting names; a home that has its log in a SQLite file keeps it there."""
    if not settings.database_url and not settings.log.exists():
        yield EmbeddedPostgres(settings.postgres)
    if not settings.redis_url:
        yield EmbeddedRedis(settings.valkey)
    if not settings.kafka:
        yield EmbeddedKafka(settings.broker, settings.jars)


def ports(settings: Settings) -> dict[str, str]:
    """If metrics are wanted, each process chooses a port: they cannot share one."""
    return {} if settings.observation.port is None else {"REGULARS_METRICS_PORT": "0"}
