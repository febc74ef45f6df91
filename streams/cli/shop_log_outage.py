"""What gives out while a shop-log is imported: a full disk, a server that goes away. It is said; what was accepted stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import orjson
import redis
from eventsourcing.persistence import PersistenceError

from infra.errors import Fault, Misconfigured
from streams.imports.shop_log.importing import ImportCounts


class BrokenOff(Fault):
    """An import that could not go on; the same file again brings the rest."""


@contextmanager
def outages() -> Iterator[None]:
    """Raises :class:`BrokenOff` for what gives out inside."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever reads has enough
    except (OSError, sqlite3.Error, PersistenceError, redis.exceptions.RedisError) as fault:
        raise BrokenOff(f"The import broke off ({fault}). What was accepted stays: import the same file again.") from fault


def make_home(home: Path) -> None:
    """Raises :class:`Misconfigured` if it cannot be."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as fault:
        raise Misconfigured(f"REGULARS_HOME cannot be {home}: {fault.strerror or fault}.") from None


def tell(taken: ImportCounts) -> None:
    """Print the outcome as JSON. Raises :class:`Misconfigured` if standard output takes nothing."""
    try:
        click.echo(orjson.dumps(taken))
    except BrokenPipeError:
        raise  # whoever reads has enough
    except OSError as fault:
        raise Misconfigured(f"The outcome cannot be written to standard output: {fault.strerror or fault}.") from None
