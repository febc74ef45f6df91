"""Each member's own key, stored apart from the log. Erasing a member destroys the key.

A key is stored before anything is sealed with it, so a crash can leave an unused key but never an unreadable event. An empty
key stays in place of a destroyed one: a new key would make values sealed before look damaged.
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


class KeyStore(Protocol):
    """A store of keys, used by one thread at a time."""

    def find(self, member: str) -> bytes | None:
        """Return the key; empty if any process destroyed it, None if there never was one."""

    def make(self, member: str, key: bytes) -> bytes:
        """Store a key unless there is one, and return the stored one."""

    def destroy(self, member: str) -> None:
        """Replace the key by an empty one."""

    def begin(self) -> None:
        """Begin a transaction: :meth:`commit` stores the keys made from here on together."""

    def commit(self) -> None: ...

    def close(self) -> None: ...


def session_key_name(session: str) -> str:
    """Return the name under which the key of a guest's session is stored."""
    return GUEST + session


class KeyRing:
    """Seal and open values with AES-256-GCM, a key for each member. A value opens only in the field it was sealed for."""

    def __init__(self, keys: KeyStore) -> None:
        self._lock = threading.Lock()
        self._keys = keys
        self._pepper = keys.make(PEPPER, urandom(KEY))

    def seal(self, member: str, context: str, value: bytes) -> str | None:
        """Encrypt for this member, and make a key if there never was one. Return None if the key was destroyed."""
        nonce = urandom(NONCE)
        with self._lock:
            key = self._keys.find(member)
            if key is None:
                key = self._keys.make(member, urandom(KEY))
        if not key:
            return None
        return b64encode(nonce + AESGCM(key).encrypt(nonce, value, context.encode())).decode()

    def open(self, member: str, context: str, sealed: str) -> bytes | None:
        """Decrypt, or return None if any process destroyed the member's key.

        Raises :class:`Unreadable` if the value was changed, or sealed with another key.
        """
        with self._lock:
            key = self._keys.find(member)
        if not key:
            return None
        try:
            raw = b64decode(sealed, validate=True)
            return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], context.encode())
        except (InvalidTag, ValueError, TypeError):
            raise Unreadable(
                f"A sealed value of {context} does not open with its key: restore the keys that belong to this log."
            ) from None

    def destroy(self, member: str) -> None:
        with self._lock:
            self._keys.destroy(member)

    @contextmanager
    def together(self) -> Iterator[None]:
        """KeyStore made inside are stored at its end, at once; only then may what was sealed with them be stored.

        Take the log's lock first: see ``infra/keys/postgres.py``.
        """
        with self._lock:
            self._keys.begin()
        try:
            yield
        finally:
            with self._lock:
                self._keys.commit()

    def blind(self, value: str) -> str:
        """Return a keyed hash: equal values have equal hashes, and nobody without these keys can compute one."""
        return hmac.new(self._pepper, value.encode(), sha256).hexdigest()

    def close(self) -> None:
        self._keys.close()
