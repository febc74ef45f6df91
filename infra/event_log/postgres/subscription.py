"""Waiting for new rows in a PostgreSQL log: LISTEN on a connection of its own, and a slow look besides, as a safety net."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Generic

import psycopg

from infra.errors import Interrupted
from infra.event_log.postgres.schema import CHANNEL
from infra.event_log.types import R, Since
from infra.postgres.address import connect
from infra.postgres.errors import persistently

CHUNK = 1000

HEED = 0.1  # seconds between looks at whether it was stopped


class Subscription(Generic[R]):
    """Iterate over chunks of what is behind a position, waiting while there are none; :meth:`stop` ends it from any thread."""

    def __init__(self, url: str, since: Since[R], position: int, stopped: threading.Event, poll: float) -> None:
        self.position = position
        self._url = url
        self._since: Since[R] = since
        self._poll = poll
        self._stopped = stopped

    def stop(self) -> None:
        self._stopped.set()

    def __iter__(self) -> Iterator[list[R]]:
        if self._stopped.is_set():
            return
        connection = persistently(self._listening)  # before the first look, so that nothing falls between
        try:
            while not self._stopped.is_set():
                chunk = self._since(self.position, CHUNK)
                if chunk:
                    self.position = chunk[-1].position
                    yield chunk
                    continue
                try:
                    self._wait(connection)
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    connection.close()
                    connection = persistently(self._listening)
        finally:
            connection.close()

    def _listening(self) -> psycopg.Connection[Any]:
        connection = connect(self._url)
        try:
            connection.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error as fault:
            with suppress(psycopg.Error):
                connection.close()
            raise Interrupted(f"PostgreSQL went away ({fault}).") from fault
        return connection

    def _wait(self, connection: psycopg.Connection[Any]) -> None:
        """Until something was appended, it is time to look, or it is stopped."""
        deadline = time.monotonic() + self._poll
        while not self._stopped.is_set() and (left := deadline - time.monotonic()) > 0:
            if any(True for _ in connection.notifies(timeout=min(HEED, left), stop_after=1)):
                for _ in connection.notifies(timeout=0):
                    pass  # many appends are one reason to look
                return
