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
    """Return all keys of these views once, without their versions."""
    for version in views.versions.all:
        yield from pages_of(views, version)


def pages_of(views: Views, version: str) -> Iterator[list[str]]:
    prefix = len(version) + 1
    page: list[str] = []
    seen: set[bytes] = set()
    for raw in views.client.scan_iter(match=f"{version}:*", count=PAGE):
        if raw in seen:  # SCAN may return a key twice while Redis grows or shrinks its table
            continue
        seen.add(raw)
        key = raw.decode()[prefix:]
        if views.versions.version_of(key) != version:  # its part is served in another one
            continue
        page.append(key)
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
        read(reads, views.key(key), kind)
    return list(reads.execute(raise_on_error=False))


def read_contents(views: Views, first: str, keys: list[str]) -> tuple[Any, list[bytes | None]]:
    """Return the text under ``first``, and the content of each key as of the same moment, in its canonical form."""
    kinds = views.client.pipeline(transaction=False)
    for key in keys:
        kinds.type(views.key(key))
    reads = views.client.pipeline(transaction=True)
    reads.get(views.key(first))
    for key, kind in zip(keys, kinds.execute(), strict=True):
        read(reads, views.key(key), kind.decode())
    text, *found = reads.execute(raise_on_error=False)
    return text, list(map(canonical, found))


def read(pipeline: Any, key: str, kind: str) -> None:
    """Have a pipeline read a whole key of this type."""
    match kind:
        case "hash":
            pipeline.hgetall(key)
        case "zset":
            pipeline.zrange(key, 0, -1, withscores=True)
        case _:
            pipeline.get(key)


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
