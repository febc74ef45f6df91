"""Writes whole keys of a version that nobody follows yet: absolute values, so that writing them again changes nothing.

Each call looks at the rebuild's lease first: a loader that was halted while another one took over writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec
import redis

from infra.redis.commit import CALL_BYTES
from infra.redis.digest import pages_of
from infra.redis.generations import RebuildOvertaken, lease_key
from infra.redis.versions import ServedVersions
from infra.redis.views import Views

UNLINKED = 250
"""Keys that one call removes: more would hold up readers."""

PAIRS = 2000
"""Fields of a map, or members of a ranking, that go in one call at most."""

SCRIPT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASE lost') end
local entries = cmsgpack.unpack(ARGV[2])
for first = 1, #entries.documents, 4000 do  -- even, for pairs; unpack gives up at 8000
  redis.call('MSET', unpack(entries.documents, first, math.min(first + 3999, #entries.documents)))
end
for _, map in ipairs(entries.maps) do redis.call('HSET', map[1], unpack(map[2])) end
for _, ranking in ipairs(entries.rankings) do redis.call('ZADD', ranking[1], unpack(ranking[2])) end
return 0
"""

Pairs: TypeAlias = Mapping[str, str | int]


class KeyContent(NamedTuple):
    """The whole content of a key, one of these: the JSON of a document, the fields of a map, the scores of a ranking."""

    key: str
    document: bytes | None = None
    fields: Pairs | None = None
    scores: Pairs | None = None


class KeyLoader:
    """Loads keys under one version. ``rest``: called after each call with the seconds that it took."""

    def __init__(
        self, client: redis.Redis, version: str, fold: str, owner: str, rest: Callable[[float], None] = lambda _: None
    ) -> None:
        self._client = client
        self._prefix = f"{version}:"
        self._lease = lease_key(fold)
        self._owner = owner
        self._rest = rest
        self._script = client.register_script(SCRIPT)

    def load(self, entries: Iterable[KeyContent]) -> None:
        """Write keys in calls of up to :data:`CALL_BYTES`. Raises :class:`RebuildOvertaken` if another rebuild has begun."""
        for call in calls(self._prefix, entries):
            begun = time.monotonic()
            try:
                self._script(keys=[self._lease], args=[self._owner, call])
            except redis.ResponseError as fault:
                if "LEASE lost" in str(fault):
                    raise RebuildOvertaken from fault
                raise
            self._rest(time.monotonic() - begun)


def calls(prefix: str, entries: Iterable[KeyContent]) -> Iterator[bytes]:
    """Yield what the script gets for each call."""
    documents: list[str] = []
    maps: list[tuple[str, list[str | int]]] = []
    rankings: list[tuple[str, list[str | int]]] = []
    size = 0
    for key, document, fields, scores in entries:
        name = prefix + key
        if document is not None:
            documents += (name, document.decode())
            size += len(document) + len(key)
        for flat in flattened(fields):
            maps.append((name, flat))
            size += length_of(flat) + len(key)
            if size >= CALL_BYTES:
                yield packed(documents, maps, rankings)
                size = 0
        for flat in flattened(scores):
            rankings.append((name, flat[::-1]))  # a score comes before its member
            size += length_of(flat) + len(key)
            if size >= CALL_BYTES:
                yield packed(documents, maps, rankings)
                size = 0
        if size >= CALL_BYTES:
            yield packed(documents, maps, rankings)
            size = 0
    if documents or maps or rankings:
        yield packed(documents, maps, rankings)


def packed(documents: list[str], maps: list[Any], rankings: list[Any]) -> bytes:
    """Encode one call, and empty what it was made from."""
    call = msgspec.msgpack.encode({"documents": documents, "maps": maps, "rankings": rankings})
    documents.clear()
    maps.clear()
    rankings.clear()
    return call


def flattened(content: Pairs | None) -> Iterator[list[str | int]]:
    """Yield names and values in turn, so many as one command may get."""
    if not content:
        return
    if len(content) <= PAIRS:
        yield [part for pair in content.items() for part in pair]
        return
    pairs = list(content.items())
    for first in range(0, len(pairs), PAIRS):
        yield [part for pair in pairs[first : first + PAIRS] for part in pair]


def length_of(flat: Iterable[str | int]) -> int:
    """Return about how many bytes names and values take."""
    return sum([len(part) if type(part) is str else 8 for part in flat])


def remove_keys(client: redis.Redis, version: str, parts: Iterable[str]) -> int:
    """Remove all keys of these parts under a version, a few at a time, and return how many there were."""
    mine, removed = set(parts), 0
    for keys in pages_of(Views(client, served=ServedVersions(version)), version):
        gone = [f"{version}:{key}" for key in keys if key.partition(":")[0] in mine]
        for first in range(0, len(gone), UNLINKED):
            removed += int(client.unlink(*gone[first : first + UNLINKED]))
    return removed
