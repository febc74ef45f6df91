"""API keys and the secret that signs members' tokens, in a table of their own: credentials never enter the event log.

A key's text is ``rk_{id}_{secret}``; only the SHA-256 of the secret is kept. An embedded home keeps them in a SQLite file that
its owner alone may read, a log in PostgreSQL beside the members' keys.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes, token_hex, token_urlsafe
from typing import Any

from infra.side_database import SideDatabase

PREFIX = "rk"
SECRET_BYTES = 32

TABLES = (
    """CREATE TABLE IF NOT EXISTS api_key (
        id TEXT PRIMARY KEY, client TEXT NOT NULL, scopes TEXT NOT NULL, hash TEXT NOT NULL,
        created BIGINT NOT NULL, revoked BIGINT)""",
    "CREATE TABLE IF NOT EXISTS token_secret (kid TEXT PRIMARY KEY, secret TEXT NOT NULL, created BIGINT NOT NULL)",
)


@dataclass(frozen=True)
class ApiKey:
    """``client``: who uses it; several keys of one client share its idempotency keys, so that a key can be rotated.

    ``scopes``: names of what it may do. ``created``, ``revoked``: UTC epoch milliseconds.
    """

    id: str
    client: str
    scopes: tuple[str, ...]
    created: int
    revoked: int | None = None


class ApiKeys:
    """The table of keys; safe to call from any thread. ``url``: PostgreSQL's, None for the SQLite file ``file``."""

    def __init__(self, file: Path, url: str | None = None) -> None:
        database = SideDatabase(file, url)
        self._run = database.run
        self.close = database.close
        database.create(TABLES)

    def create(self, client: str, scopes: Sequence[str], now: int) -> tuple[ApiKey, str]:
        """Make a key and return it with its text, which is never to be had again."""
        made = ApiKey(token_hex(8), client, tuple(scopes), now)
        secret = token_urlsafe(SECRET_BYTES)
        self._run(
            "INSERT INTO api_key (id, client, scopes, hash, created) VALUES (?, ?, ?, ?, ?)",
            (made.id, client, json.dumps(list(scopes)), _hash(secret), now),
        )
        return made, f"{PREFIX}_{made.id}_{secret}"

    def find(self, text: str) -> ApiKey | None:
        """Return the key of this text; None if there is none, it was revoked, or its secret is another."""
        prefix, _, rest = text.partition("_")
        id, _, secret = rest.partition("_")  # noqa: A001 - the key's own word
        if prefix != PREFIX or not secret:
            return None
        rows = self._run("SELECT id, client, scopes, created, revoked, hash FROM api_key WHERE id = ?", (id,))
        if not rows or rows[0][4] is not None or not hmac.compare_digest(str(rows[0][5]), _hash(secret)):
            return None
        return _key(rows[0])

    def all(self) -> list[ApiKey]:
        """Return every key, revoked ones too, in the order they were made."""
        rows = self._run("SELECT id, client, scopes, created, revoked FROM api_key ORDER BY created, id")
        return [_key(row) for row in rows]

    def revoke(self, id: str, now: int) -> bool:  # noqa: A002 - the key's own word
        """Revoke a key; False if there is none of this id, or it was revoked before."""
        live = self._run("SELECT id FROM api_key WHERE id = ? AND revoked IS NULL", (id,))
        self._run("UPDATE api_key SET revoked = ? WHERE id = ? AND revoked IS NULL", (now, id))
        return bool(live)

    def token_secret(self, now: int) -> tuple[str, bytes]:
        """Return id and secret that sign members' tokens, made when they are first asked for."""
        if not (rows := self._run("SELECT kid, secret FROM token_secret ORDER BY created DESC, kid LIMIT 1")):
            self._run(
                "INSERT INTO token_secret (kid, secret, created) VALUES (?, ?, ?)",
                (token_hex(4), token_bytes(SECRET_BYTES).hex(), now),
            )
            rows = self._run("SELECT kid, secret FROM token_secret ORDER BY created DESC, kid LIMIT 1")
        return str(rows[0][0]), bytes.fromhex(rows[0][1])

    def token_secrets(self) -> dict[str, bytes]:
        """Return every secret by its id."""
        return {str(kid): bytes.fromhex(secret) for kid, secret in self._run("SELECT kid, secret FROM token_secret")}


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _key(row: Sequence[Any]) -> ApiKey:
    return ApiKey(row[0], row[1], tuple(json.loads(row[2])), row[3], row[4])
