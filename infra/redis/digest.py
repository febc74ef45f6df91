"""A fold's content in one line, so that two runs, modes or rebuilds can be compared: how many entries, and a hash of them.

Positions and checkpoints are left out, and so is any order that a reader cannot see: equal content gives equal digests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
import redis

from infra.redis.views import Views

PAGE = 2000
MODULUS = 1 << 256


@dataclass
class Digest:
    """``total``: the sum of the entries' hashes, so that entries may come in any order."""

    entries: int = 0
    total: int = 0

    def add(self, key: str, content: bytes) -> None:
        self.entries += 1
        self.total = (self.total + int.from_bytes(sha256(key.encode() + b"\0" + content).digest(), "big")) % MODULUS

    @property
    def hash(self) -> str:
        return f"{self.total:064x}"[:16]


def digests(views: Views, fold_of: Mapping[str, str]) -> dict[str, Digest]:
    """Return a digest of each fold. ``fold_of``: whose a key is, by its first part."""
    found = {fold: Digest() for fold in fold_of.values()}
    for keys in pages(views):
        mine = [key for key in keys if key.partition(":")[0] in fold_of]
        for key, content in zip(mine, contents(views, mine), strict=True):
            if content is not None:
                found[fold_of[key.partition(":")[0]]].add(key, content)
    return found


def pages(views: Views) -> Iterator[list[str]]:
    """Return all keys of this version once, without its prefix."""
    prefix = len(views.key(""))
    page: list[str] = []
    seen: set[bytes] = set()
    for raw in views.client.scan_iter(match=views.key("*"), count=PAGE):
        if raw in seen:  # SCAN may return a key twice while Redis grows or shrinks its table
            continue
        seen.add(raw)
        page.append(raw.decode()[prefix:])
        if len(page) == PAGE:
            yield page
            page = []
    yield page


def contents(views: Views, keys: list[str]) -> Iterator[bytes | None]:
    """Return the content of each key in one canonical form, None for a key that was removed meanwhile."""
    return map(canonical, stored(views, keys))


def stored(views: Views, keys: list[str]) -> list[Any]:
    """Return what each key holds: bytes, a map, pairs of a ranking, None for nothing, or the error of reading it."""
    types = views.client.pipeline(transaction=False)
    for key in keys:
        types.type(views.key(key))
    kinds = [kind.decode() for kind in types.execute()]
    reads = views.client.pipeline(transaction=False)
    for key, kind in zip(keys, kinds, strict=True):
        match kind:
            case "string":
                reads.get(views.key(key))
            case "hash":
                reads.hgetall(views.key(key))
            case _:
                reads.zrange(views.key(key), 0, -1, withscores=True)
    return list(reads.execute(raise_on_error=False))


def canonical(content: Any) -> bytes | None:
    """Return a document without its position, or the sorted pairs of a map or ranking, as JSON; None if there is nothing."""
    if not content:
        return None
    if isinstance(content, redis.ResponseError):  # a key of another type was written under this name meanwhile
        return None
    if isinstance(content, bytes):
        document = orjson.loads(content)
        document.pop("position", None)
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    pairs = content.items() if isinstance(content, dict) else content
    return orjson.dumps(sorted((name.decode(), value.decode() if isinstance(value, bytes) else value) for name, value in pairs))
