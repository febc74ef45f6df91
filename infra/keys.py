"""Each member's own key, in a database of its own: to erase a member is to destroy the key.

The key is stored before anything is sealed with it, so a crash can leave an unused key, never an unreadable event.
``secure_delete`` and a truncated rollback journal leave no copy of a destroyed key in the file. An empty one stays: no other is
made in its place, since what was sealed before could not be told from what is damaged.
"""

from __future__ import annotations

import hmac
import sqlite3
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from os import urandom
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.faults import Unreadable

NONCE = 12
GUEST = "\x00session/"  # no member's id begins so: control characters are refused
PEPPER = "\x00pepper"  # no member has this id: control characters are refused


def of_session(session: str) -> str:
    """Under which name a guest's session has its key."""
    return GUEST + session


class KeyRing:
    """AES-256-GCM keys by member; sealing binds a value to its context, so it cannot be moved to another field."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("PRAGMA secure_delete = ON")
        self._db.execute("PRAGMA journal_mode = TRUNCATE")
        self._db.execute("CREATE TABLE IF NOT EXISTS keys (member TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID")
        self._pepper = self._make(PEPPER)

    def seal(self, member: str, context: str, value: bytes) -> str | None:
        """Encrypt for this member, making their key if they never had one; None if it was destroyed: nothing more is kept."""
        nonce = urandom(NONCE)
        with self._lock:
            key = self._find(member)
            if key is None:
                key = self._make(member)
        if not key:
            return None
        return b64encode(nonce + AESGCM(key).encrypt(nonce, value, context.encode())).decode()

    def open(self, member: str, context: str, sealed: str) -> bytes | None:
        """Decrypt; None if the member's key was destroyed, by whatever process.

        Raises :class:`Unreadable` if the value is not as it was sealed.
        """
        with self._lock:
            key = self._find(member)
        if not key:
            return None
        try:
            raw = b64decode(sealed, validate=True)
            return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], context.encode())
        except (InvalidTag, ValueError, TypeError):
            raise Unreadable(f"A sealed value of {context} does not open with its key: restore the key file.") from None

    def destroy(self, member: str) -> None:
        with self._lock:
            self._db.execute("INSERT INTO keys VALUES (?, x'') ON CONFLICT (member) DO UPDATE SET key = x''", (member,))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keys made inside are stored at its end, at once; only then may what was sealed with them be stored."""
        with self._lock:
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            with self._lock:
                self._db.execute("COMMIT")

    def blind(self, value: str) -> str:
        """A keyed hash: equal values can be found equal, and told by nobody without this file."""
        return hmac.new(self._pepper, value.encode(), sha256).hexdigest()

    def close(self) -> None:
        self._db.close()

    def _make(self, member: str) -> bytes:
        self._db.execute("INSERT INTO keys VALUES (?, ?) ON CONFLICT DO NOTHING", (member, urandom(32)))
        return self._find(member) or b""

    def _find(self, member: str) -> bytes | None:
        with closing(self._db.execute("SELECT key FROM keys WHERE member = ?", (member,))) as rows:
            row = rows.fetchone()
        return row[0] if row else None
