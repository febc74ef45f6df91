"""A system whose log has a history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import App, running


@contextmanager
def open_shop(home: Path, redis_url: str, asked: Iterable[Request]) -> Iterator[App]:
    """One that was asked for all of this; its Redis is emptied before."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    with running(Settings(home, redis_url)) as app:
        app.handler.handle_all(list(asked))
        yield app
