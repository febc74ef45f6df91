"""Endpoints, how far each has been told, what waits for another attempt, and dead letters; beside the log, never in it.

Nothing here holds what an event says: a message is built from the log whenever it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from infra.side_database import SideDatabase
from infra.webhooks.quiet import QuietPositions
from infra.webhooks.signature import new_secret

TABLES = (
    """CREATE TABLE IF NOT EXISTS webhook_endpoint (
        id TEXT PRIMARY KEY, url TEXT NOT NULL, kinds TEXT NOT NULL, personal INTEGER NOT NULL, secret TEXT NOT NULL,
        told BIGINT NOT NULL, created BIGINT NOT NULL, disabled TEXT)""",
    """CREATE TABLE IF NOT EXISTS webhook_waiting (
        endpoint TEXT NOT NULL, position BIGINT NOT NULL, key TEXT NOT NULL, attempts INTEGER NOT NULL, due BIGINT NOT NULL,
        answer TEXT NOT NULL, PRIMARY KEY (endpoint, position))""",
    """CREATE TABLE IF NOT EXISTS webhook_dead (
        endpoint TEXT NOT NULL, position BIGINT NOT NULL, key TEXT NOT NULL, attempts INTEGER NOT NULL, at BIGINT NOT NULL,
        answer TEXT NOT NULL, PRIMARY KEY (endpoint, position))""",
    """CREATE TABLE IF NOT EXISTS webhook_old_secret (
        endpoint TEXT NOT NULL, secret TEXT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (endpoint, secret))""",
    "CREATE TABLE IF NOT EXISTS webhook_sender (one INTEGER PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL)",
)


@dataclass(frozen=True)
class Endpoint:
    """``kinds``: names of the events it wants. ``personal``: whether it is told personal values. ``told``: the position up to
    which it was told, or what was left waits or is dead. ``disabled``: why nothing is sent; None if it is.
    """

    id: str
    url: str
    kinds: tuple[str, ...]
    personal: bool
    told: int
    created: int
    disabled: str | None


@dataclass(frozen=True)
class Waiting:
    """An event to send once ``due`` (epoch ms) has come and those of its ``key`` before it are gone.

    ``answer``: what the last attempt brought.
    """

    position: int
    key: str
    attempts: int = 0
    due: int = 0
    answer: str = ""


@dataclass(frozen=True)
class UndeliveredMessage:
    """An event that an endpoint never took. ``at``: when it was given up."""

    position: int
    key: str
    attempts: int
    at: int
    answer: str


class WebhookStore:
    """``seal``, ``open_``: keep secrets unreadable to who reads the table. ``quiet``: positions that the sender skips.

    Safe to call from any thread.
    """

    def __init__(self, file: Path, url: str | None, seal: Callable[[str], str], open_: Callable[[str], str]) -> None:
        self._database = SideDatabase(file, url)
        self._run = self._database.run
        self.quiet = QuietPositions(self._database)
        self._seal = seal
        self._open = open_
        self._database.create(TABLES)

    def close(self) -> None:
        self._database.close()

    def add(self, url: str, kinds: Sequence[str], personal: bool, told: int, now: int) -> tuple[Endpoint, str]:
        """Register an endpoint and return it with its secret. It is told what follows the position ``told``."""
        made, secret = Endpoint(f"wh{token_hex(8)}", url, tuple(kinds), personal, told, now, None), new_secret()
        self._run(
            "INSERT INTO webhook_endpoint (id, url, kinds, personal, secret, told, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (made.id, url, json.dumps(list(kinds)), int(personal), self._seal(secret), told, now),
        )
        return made, secret

    def all(self) -> list[Endpoint]:
        """Return every endpoint, in the order they were made."""
        return [_endpoint(row) for row in self._run(f"{ENDPOINTS} ORDER BY created, id")]

    def find(self, id: str) -> Endpoint | None:  # noqa: A002 - the endpoint's own word
        return next((_endpoint(row) for row in self._run(f"{ENDPOINTS} WHERE id = ?", (id,))), None)

    def secrets(self, id: str, now: int) -> list[str]:  # noqa: A002 - the endpoint's own word
        """Return the secrets that sign what is sent to an endpoint: its own, and older ones that have not ended yet."""
        own = self._run("SELECT secret FROM webhook_endpoint WHERE id = ?", (id,))
        old = self._run("SELECT secret FROM webhook_old_secret WHERE endpoint = ? AND until > ? ORDER BY until DESC", (id, now))
        return [self._open(str(row[0])) for row in (*own, *old)]

    def rotate(self, id: str, now: int, until: int) -> str | None:  # noqa: A002 - the endpoint's own word
        """Give an endpoint a new secret and return it; the old one signs, too, until an instant. None for no endpoint."""
        secret = new_secret()
        with self._database.together() as run:
            old = run("UPDATE webhook_endpoint SET url = url WHERE id = ? RETURNING secret", (id,))  # the row is ours from here
            run("DELETE FROM webhook_old_secret WHERE endpoint = ? AND until <= ?", (id, now))
            for row in old:
                run("INSERT INTO webhook_old_secret (endpoint, secret, until) VALUES (?, ?, ?)", (id, row[0], until))
            run("UPDATE webhook_endpoint SET secret = ? WHERE id = ?", (self._seal(secret), id))
        return secret if old else None

    def remove(self, id: str) -> bool:  # noqa: A002 - the endpoint's own word
        """Forget an endpoint with all that waits for it; False if there is none."""
        with self._database.together() as run:
            known = run("SELECT id FROM webhook_endpoint WHERE id = ?", (id,))
            run("DELETE FROM webhook_endpoint WHERE id = ?", (id,))
            for table in ("webhook_waiting", "webhook_dead", "webhook_old_secret"):
                run(f"DELETE FROM {table} WHERE endpoint = ?", (id,))
        return bool(known)

    def disable(self, id: str, reason: str) -> None:  # noqa: A002 - the endpoint's own word
        self._run("UPDATE webhook_endpoint SET disabled = ? WHERE id = ?", (reason, id))

    def advance(self, endpoint: Endpoint, told: int, waiting: Iterable[Waiting]) -> bool:
        """Store that an endpoint was told up to a position, but for what waits. False if it was set back meanwhile."""
        with self._database.together() as run:
            if not run(
                "UPDATE webhook_endpoint SET told = ? WHERE id = ? AND told = ? RETURNING id",
                (told, endpoint.id, endpoint.told),
            ):
                return False
            for one in waiting:
                run(f"{WAITS} ON CONFLICT DO NOTHING", _waiting_row(endpoint.id, one))
        return True

    def replay(self, id: str, since: int) -> bool:  # noqa: A002 - the endpoint's own word
        """Set an endpoint back, so that it is told again what follows a position; it is enabled again, too."""
        with self._database.together() as run:
            run("DELETE FROM webhook_waiting WHERE endpoint = ? AND position > ?", (id, since))
            run("DELETE FROM webhook_dead WHERE endpoint = ? AND position > ?", (id, since))
            return bool(run("UPDATE webhook_endpoint SET told = ?, disabled = NULL WHERE id = ? RETURNING id", (since, id)))

    def waiting(self, id: str) -> list[Waiting]:  # noqa: A002 - the endpoint's own word
        """Return what waits for an endpoint, in order."""
        rows = self._run(
            "SELECT position, key, attempts, due, answer FROM webhook_waiting WHERE endpoint = ? ORDER BY position", (id,)
        )
        return [Waiting(*row) for row in rows]

    def delivered(self, id: str, position: int) -> None:  # noqa: A002 - the endpoint's own word
        self._run("DELETE FROM webhook_waiting WHERE endpoint = ? AND position = ?", (id, position))

    def failed(self, id: str, one: Waiting) -> None:  # noqa: A002 - the endpoint's own word
        """Store when an event is tried again, and what the last attempt brought."""
        self._run(
            "UPDATE webhook_waiting SET attempts = ?, due = ?, answer = ? WHERE endpoint = ? AND position = ?",
            (one.attempts, one.due, one.answer, id, one.position),
        )

    def bury(self, id: str, one: Waiting, now: int) -> None:  # noqa: A002 - the endpoint's own word
        """Turn what waits into a dead letter."""
        with self._database.together() as run:
            run("DELETE FROM webhook_waiting WHERE endpoint = ? AND position = ?", (id, one.position))
            run(
                "INSERT INTO webhook_dead (endpoint, position, key, attempts, at, answer) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (id, one.position, one.key, one.attempts, now, one.answer),
            )

    def dead_letters(self, id: str) -> list[UndeliveredMessage]:  # noqa: A002 - the endpoint's own word
        rows = self._run(
            "SELECT position, key, attempts, at, answer FROM webhook_dead WHERE endpoint = ? ORDER BY position", (id,)
        )
        return [UndeliveredMessage(*row) for row in rows]

    def resend(self, id: str, position: int) -> bool:  # noqa: A002 - the endpoint's own word
        """Let a dead letter wait again, from its first attempt; False if there is none at this position."""
        with self._database.together() as run:
            found = run("DELETE FROM webhook_dead WHERE endpoint = ? AND position = ? RETURNING key", (id, position))
            for (key,) in found:
                run(WAITS, _waiting_row(id, Waiting(position, str(key))))
        return bool(found)

    def take_turn(self, owner: str, now: int, until: int) -> bool:
        """Make this process the one sender until an instant (epoch ms); False if another is."""
        taken = self._run(
            "INSERT INTO webhook_sender (one, owner, until) VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE "
            "SET owner = excluded.owner, until = excluded.until "
            "WHERE webhook_sender.owner = excluded.owner OR webhook_sender.until < ? RETURNING owner",
            (owner, until, now),
        )
        return bool(taken)

    def end_turn(self, owner: str) -> None:
        self._run("DELETE FROM webhook_sender WHERE owner = ?", (owner,))


ENDPOINTS = "SELECT id, url, kinds, personal, told, created, disabled FROM webhook_endpoint"
WAITS = "INSERT INTO webhook_waiting (endpoint, position, key, attempts, due, answer) VALUES (?, ?, ?, ?, ?, ?)"


def _waiting_row(id: str, one: Waiting) -> Sequence[object]:  # noqa: A002 - the endpoint's own word
    return id, one.position, one.key, one.attempts, one.due, one.answer


def _endpoint(row: Sequence[Any]) -> Endpoint:
    return Endpoint(row[0], row[1], tuple(json.loads(row[2])), bool(row[3]), row[4], row[5], row[6])
