"""The real parts, once for all tests: servers of their own, a system on an empty log, and one that two real weeks went into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
from hypothesis import HealthCheck
from hypothesis import settings as examples

from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis
from infra.event_log.schema import LOG_TABLES
from infra.keys.stores import KEY_TABLES
from infra.postgres.migrate import migrate
from infra.settings import Settings, jar_cache
from streams.cli.import_ import Imported
from streams.running.app import App, running
from tests import parts
from tests.examples import many
from tests.journey.regulars import imported_into
from tests.packaged import forget
from tests.reaper import pytest_configure  # noqa: F401 - a hook
from tests.sharing import Sharing, long_after, needs_servers

JOURNEY = 2  # weeks

examples.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=many(100))
examples.load_profile("unhurried")  # a busy machine is no failure


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if needs_servers(item):
            item.add_marker(pytest.mark.servers)
    items.sort(key=lambda item: long_after(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    return Sharing(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if told := parts.summary(terminalreporter.stats.get("skipped", ())):
        terminalreporter.write_line(told, yellow=True)


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """Where Kafka's jars are; without them, and no way to fetch them, the tests that ask are left out."""
    return parts.kafka_jars(jar_cache())


@pytest.fixture
def implicit() -> None:
    """The package that fits BPR and ALS; without it, the tests that ask are left out."""
    parts.implicit()


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def client(valkey_url: str) -> Iterator[redis.Redis]:
    """A client of an empty database."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server with a database of empty tables to copy from."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty")
        migrate(server.url_of("empty"), LOG_TABLES)
        migrate(server.url_of("empty"), KEY_TABLES)
        yield server
    finally:
        server.stop()
        forget(server)


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a database with empty tables."""
    yield from made(postgres, "empty")


@pytest.fixture
def bare_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a database without tables."""
    yield from made(postgres, "template1")


def made(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.url_of(name)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def kept_in(request: pytest.FixtureRequest) -> str:
    """Which database the log is in: a SQLite file, unless a test asks for another."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str, client: redis.Redis, kept_in: str, request: pytest.FixtureRequest) -> Settings:
    url = request.getfixturevalue("database") if kept_in == "postgres" else None
    return Settings(home=tmp_path / "home", redis_url=valkey_url, database_url=url)


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Imported]]:
    """:data:`JOURNEY` weeks of Complete Journey, imported into a home with a Redis of its own. Nobody changes it."""
    with imported_into(tmp_path_factory.mktemp("journey"), JOURNEY) as journey:
        yield journey


@pytest.fixture
def app(settings: Settings) -> Iterator[App]:
    with running(settings) as app:
        yield app
