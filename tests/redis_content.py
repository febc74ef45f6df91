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
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.type(key)
        kinds: list[bytes] = pipe.execute()
        for key, kind in zip(keys, kinds, strict=True):
            match kind:
                case b"string":
                    pipe.get(key)
                case b"hash":
                    pipe.hgetall(key)
                case _:
                    pipe.zrange(key, 0, -1, withscores=True)
        found: list[Any] = pipe.execute()
    told = zip(keys, kinds, found, strict=True)
    return {key.decode(): value(kind, raw, positions) for key, kind, raw in told}


def value(kind: bytes, raw: Any, positions: bool) -> Any:
    match kind:
        case b"string":
            return document(raw, positions)
        case b"hash":
            return {name.decode(): held.decode() for name, held in raw.items()}
        case _:
            return {name.decode(): score for name, score in raw}


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
