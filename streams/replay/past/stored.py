"""What a key of Redis holds, in the form in which folds in memory are compared with it."""

from __future__ import annotations

from typing import Any

import orjson
import redis

from streams.replay.past.read_models import Stored

DAMAGED = "damaged"
"""The kind of a key that holds what no fold writes: its fields say what is wrong."""


def read_stored(raw: Any) -> Stored | None:
    """Return what was read of a key, by :func:`infra.redis.digest.stored`; None for nothing.

    >>> read_stored({b"price": b"5"})
    Stored(kind='map', fields={'price': '5'})
    >>> read_stored(b"{").kind
    'damaged'
    """
    if raw is None or raw == {} or raw == []:
        return None
    if isinstance(raw, redis.ResponseError):
        return Stored(DAMAGED, {"content": f"a Redis type that no fold writes ({raw})"})
    if isinstance(raw, dict):
        return Stored("map", {text(name): text(value) for name, value in raw.items()})
    if isinstance(raw, list):
        return Stored("ranking", {text(name): score for name, score in raw})
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Stored(DAMAGED, {"content": f"no JSON: {text(raw[:80])}"})
    if not isinstance(document, dict):
        return Stored(DAMAGED, {"content": f"no document: {text(raw[:80])}"})
    return Stored("document", document)


def text(raw: bytes) -> str:
    return raw.decode(errors="replace")
