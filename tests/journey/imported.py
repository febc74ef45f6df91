"""Complete Journey, imported into a home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.cli.import_ import Imported, import_complete_journey
from streams.imports.complete_journey import SHOP
from streams.running.app import App, running


@contextmanager
def imported_into(home: Path, weeks: int | None) -> Iterator[tuple[App, Imported]]:
    """With a Redis of the home's own, which ends with the block. ``weeks``: None for the whole year."""
    settings = Settings(home)
    try:
        with running(settings, SHOP) as app:
            yield app, import_complete_journey(app, weeks, Console(quiet=True))
    finally:
        EmbeddedRedis(settings.valkey).stop()
