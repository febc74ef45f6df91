"""Each member's own key, stored apart from the log. Erasing a member destroys the key.

A key is stored before anything is sealed with it, so a crash can leave an unused key but never an unreadable event. An empty
key stays in place of a destroyed one: a new key would make values sealed before look damaged.
"""

from __future__ import annotations

import hmac
import logging
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from os import urandom
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.errors import Misconfigured, Unreadable

WARNINGS = logging.getLogger("regulars.keys")

LOST = (
    "The keys of this log are lost: its key store is new. Personal values read as blank, and none is stored. "
    "Restore the keys from a backup; if there is none, `regulars log new-keys` makes new ones."
)
FOREIGN = (
    "The keys belong to another log. Personal values read as blank, and none is stored. "
    "Restore the keys of this log; if there is no backup, remove keys.db, and `regulars log new-keys` makes new ones."
)

NONCE = 12  # bytes
KEY = 32  # bytes
GUEST = "\x00session/"  # no member's id begins so: control characters are refused
PEPPER = "\x00pepper"  # no member has this id: control characters are refused
LOG = "\x00log"  # likewise: the name of the log that a store belongs to
REPLACED = "\x00replaced"  # likewise: there once were other keys, which are lost


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
        self._pepper = keys.find(PEPPER)
        self.problem: str | None = None
        self._replaced = keys.find(REPLACED) is not None

    def belong_to(self, log: str, has_events: bool) -> None:
        """Bind the store to a log, or find the :attr:`problem` that it is lost or another log's.

        With a problem, nothing is sealed and nothing is stored, and what does not open reads as blank. ``has_events``: whether
        the log has any, so that a new store cannot be its own.
        """
        with self._lock:
            owner = self._keys.find(LOG)
            if owner not in (None, log.encode()):
                self.problem = FOREIGN
            elif self._pepper is None and owner is None and has_events:
                self.problem = LOST
            elif owner is None:
                self._keys.make(LOG, log.encode())
        if self.problem:
            WARNINGS.warning(self.problem)

    def replace(self, log: str) -> None:
        """Make new keys where those of a log are lost: values sealed so far stay blank for ever.

        Raises :class:`Misconfigured` if the store has the keys of another log.
        """
        if self.problem == FOREIGN:
            raise Misconfigured(FOREIGN)
        with self._lock:
            self._keys.make(LOG, log.encode())
            self._keys.make(REPLACED, b"1")
        self.problem, self._pepper, self._replaced = None, None, True

    def seal(self, member: str, context: str, value: bytes) -> str | None:
        """Encrypt for this member, and make a key if there never was one. Return None if the key was destroyed."""
        if self.problem:
            raise Misconfigured(self.problem)
        nonce = urandom(NONCE)
        with self._lock:
            key = self._keys.find(member)
            if key is None:
                key = self._keys.make(member, urandom(KEY))
        if not key:
            return None
        return b64encode(nonce + AESGCM(key).encrypt(nonce, value, context.encode())).decode()

    def open(self, member: str, context: str, sealed: str) -> bytes | None:
        """Decrypt, or return None if any process destroyed the member's key, or the keys of the log are lost.

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
            if self.problem or self._replaced:
                return None
            raise Unreadable(
                f"A sealed value of {context} does not open with its key: restore the keys that belong to this log."
            ) from None

    def destroy(self, member: str) -> None:
        """Destroy a member's key for ever. A store that is lost or another log's is left as it is."""
        if self.problem:
            return
        with self._lock:
            self._keys.destroy(member)

    @contextmanager
    def together(self) -> Iterator[None]:
        """KeyStore made inside are stored at its end, at once; only then may what was sealed with them be stored.

        Take the log's lock first: see ``infra/keys/postgres.py``.
        """
        if self.problem:
            yield
            return
        with self._lock:
            self._keys.begin()
        try:
            yield
        finally:
            with self._lock:
                self._keys.commit()

    def blind(self, value: str) -> str:
        """Return a keyed hash: equal values have equal hashes, and nobody without these keys can compute one."""
        return hmac.new(self._made_pepper(), value.encode(), sha256).hexdigest()

    def secret(self, purpose: str) -> bytes:
        """Return 32 bytes for a purpose, the same as long as these keys are kept; one secret tells nothing of another."""
        return hmac.new(self._made_pepper(), f"secret/{purpose}".encode(), sha256).digest()

    def _made_pepper(self) -> bytes:
        """Return the secret of these keys; while they are lost, one that lasts as long as this process."""
        if self._pepper is None:
            with self._lock:
                self._pepper = urandom(KEY) if self.problem else self._keys.make(PEPPER, urandom(KEY))
        return self._pepper

    def close(self) -> None:
        self._keys.close()
