"""Each member's own key, apart from the log: to erase a member is to destroy the key.

The key is stored before anything is sealed with it, so a crash can leave an unused key, never an unreadable event.
In place of a destroyed key an empty one stays: no other is made, since what was sealed before could not be told from what is
damaged.
"""

from __future__ import annotations

import hmac
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from os import urandom
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.errors import Unreadable

NONCE = 12  # bytes
KEY = 32  # bytes
GUEST = "\x00session/"  # no member's id begins so: control characters are refused
PEPPER = "\x00pepper"  # no member has this id: control characters are refused


class Keys(Protocol):
    """Where keys are kept; used by one thread at a time."""

    def find(self, member: str) -> bytes | None:
        """The key, empty if it was destroyed by whatever process, None if there never was one."""

    def make(self, member: str, key: bytes) -> bytes:
        """Store a key unless there is one; return the one that is there now."""

    def destroy(self, member: str) -> None: ...

    def begin(self) -> None:
        """Store the keys that are made from here on together, by :meth:`commit`."""

    def commit(self) -> None: ...

    def close(self) -> None: ...


def of_session(session: str) -> str:
    """Under which name a guest's session has its key."""
    return GUEST + session


class KeyRing:
    """AES-256-GCM keys by member; sealing binds a value to its context, so it cannot be moved to another field."""

    def __init__(self, keys: Keys) -> None:
        self._lock = threading.Lock()
        self._keys = keys
        self._pepper = keys.make(PEPPER, urandom(KEY))

    def seal(self, member: str, context: str, value: bytes) -> str | None:
        """Encrypt for this member, making their key if they never had one; None if it was destroyed: nothing more is kept."""
        nonce = urandom(NONCE)
        with self._lock:
            key = self._keys.find(member)
            if key is None:
                key = self._keys.make(member, urandom(KEY))
        if not key:
            return None
        return b64encode(nonce + AESGCM(key).encrypt(nonce, value, context.encode())).decode()

    def open(self, member: str, context: str, sealed: str) -> bytes | None:
        """Decrypt; None if the member's key was destroyed, by whatever process.

        Raises :class:`Unreadable` if the value is not as it was sealed.
        """
        with self._lock:
            key = self._keys.find(member)
        if not key:
            return None
        try:
            raw = b64decode(sealed, validate=True)
            return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], context.encode())
        except (InvalidTag, ValueError, TypeError):
            raise Unreadable(f"A sealed value of {context} does not open with its key: restore the log's own keys.") from None

    def destroy(self, member: str) -> None:
        with self._lock:
            self._keys.destroy(member)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keys made inside are stored at its end, at once; only then may what was sealed with them be stored.

        Whoever appends to the log takes the log's lock first: see ``infra/keys/postgres.py``.
        """
        with self._lock:
            self._keys.begin()
        try:
            yield
        finally:
            with self._lock:
                self._keys.commit()

    def blind(self, value: str) -> str:
        """A keyed hash: equal values can be found equal, and told by nobody without these keys."""
        return hmac.new(self._pepper, value.encode(), sha256).hexdigest()

    def close(self) -> None:
        self._keys.close()
