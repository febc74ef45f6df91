"""All that a Redis holds, to compare one with another."""

from __future__ import annotations

from typing import Any

import orjson
import redis

from infra.redis.digest import digests
from streams.registry import fold_of_part
from streams.running.app import App


def content(client: redis.Redis, positions: bool = True) -> dict[str, Any]:
    """Every key with its value; without ``positions``, documents lack theirs (they tell of the log, not of the shop)."""
    keys: list[bytes] = sorted(client.scan_iter(count=1000))
    return {raw.decode(): value(client, raw, positions) for raw in keys}


def value(client: redis.Redis, key: bytes, positions: bool) -> Any:
    found: Any
    match client.type(key):
        case b"string":
            return document(client.get(key), positions)
        case b"hash":
            found = client.hgetall(key)
            return {name.decode(): held.decode() for name, held in found.items()}
        case _:
            found = client.zrange(key, 0, -1, withscores=True)
            return {name.decode(): score for name, score in found}


def document(raw: Any, positions: bool) -> Any:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw.decode()
    if isinstance(found, dict) and not positions:
        found.pop("position", None)
    return found


def digests_of(app: App) -> dict[str, dict[str, object]]:
    """What ``regulars digest --json`` tells."""
    return {
        fold: {"entries": made.entries, "hash": made.hash} for fold, made in digests(app.views, fold_of_part(app.terms)).items()
    }
