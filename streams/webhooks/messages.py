"""What an endpoint is told of an event: its kind, its instant, and its fields, without personal values unless it wants them."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from os import urandom
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aggregates.personal_snapshot import PersonalSnapshotTaken
from infra.event_log.types import Row
from infra.keys.ring import KeyRing
from infra.settings import Settings
from infra.webhooks.store import Endpoint, WebhookStore
from streams.registry import EVENTS
from streams.running.app import log_url

KINDS: dict[str, type] = {event.__name__: event for event in EVENTS if event is not PersonalSnapshotTaken}
"""The events that an endpoint may ask for, by the name that stays whatever version they are stored in.

Who looked at personal values, and why, is for the shop alone.
"""

TEST = "webhook.test"
LARGEST = 20_000
"""Bytes of a message. What is larger is told without its fields: the receiver asks the API for them."""

NONCE = 12  # bytes


def open_store(settings: Settings, keys: KeyRing) -> WebhookStore:
    """Return the table of webhooks of this home, or of its PostgreSQL. Its secrets open with this log's keys alone."""
    cipher = AESGCM(keys.secret("webhooks"))

    def seal(text: str) -> str:
        nonce = urandom(NONCE)
        return b64encode(nonce + cipher.encrypt(nonce, text.encode(), b"webhook")).decode()

    def open_(sealed: str) -> str:
        raw = b64decode(sealed)
        return cipher.decrypt(raw[:NONCE], raw[NONCE:], b"webhook").decode()

    return WebhookStore(settings.home / "webhooks.db", log_url(settings), seal, open_)


def unknown_kinds(kinds: Sequence[str]) -> list[str]:
    """Return those names that no event has.

    >>> unknown_kinds(["OrderPaid", "OrderPayed"])
    ['OrderPayed']
    """
    return [kind for kind in kinds if kind not in KINDS]


def kind_of(row: Row) -> str:
    """Return the kind of a stored event, whatever its version."""
    return row.name.partition(".")[0]


def message_id(endpoint: Endpoint, position: int) -> str:
    """Return the id of a message, the same in all attempts."""
    return f"{endpoint.id}_{position}"


def message(endpoint: Endpoint, row: Row, event: Any, now: int) -> bytes:
    """Return the body that tells an endpoint of an event. ``now``: epoch ms, for an event that has no instant."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    if not endpoint.personal:
        fields = {name: value for name, value in fields.items() if name not in EVENTS[type(event)].sealed}
    body = _body(kind_of(row), fields.get("at") or now, {"position": row.position, "event": fields})
    if len(body) > LARGEST:
        return _body(kind_of(row), fields.get("at") or now, {"position": row.position, "event": None})
    return body


def ping_message(now: int) -> bytes:
    """Return the body of a message that tests an endpoint."""
    return _body(TEST, now, {"position": None, "event": None})


def _body(kind: str, at: int, data: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "timestamp": _instant(at), "data": data}, separators=(",", ":")).encode()


def _instant(at: int) -> str:
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):  # a year that a date cannot have
        return datetime.fromtimestamp(0, UTC).isoformat(timespec="milliseconds")
