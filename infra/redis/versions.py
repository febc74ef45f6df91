"""Which version of the keys is served, part by part, and the number that tells writers that this has changed.

A key begins with its version: ``v1:card:42``. A rebuild writes the next version beside the one that is read, and then one step
makes it the served one. Each fold may be served in a version of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import redis

VERSIONS = "regulars:versions"
"""A hash: the first part of a key, or ``checkpoint:{fold}`` with a fold's name, to the version that is served."""

ANNOUNCED = "regulars:version"
"""The version of every part, for readers that know of one only."""

EPOCH = "regulars:epoch"
"""A counter that each change of what is served, or kept up, moves."""

FIRST = "v1"


@dataclass(frozen=True)
class ServedVersions:
    """``of``: the version by part. ``default``: that of all other parts. ``epoch``: None if writers need not compare it."""

    default: str = FIRST
    of: Mapping[str, str] = field(default_factory=dict)
    epoch: str | None = None

    def version_of(self, key: str) -> str:
        """Return the version of a key, given without one.

        >>> served = ServedVersions("v1", {"card": "v7", "checkpoint:card": "v7"})
        >>> [served.version_of(key) for key in ("card:42", "cart:42", "checkpoint:card.2:log:0")]
        ['v7', 'v1', 'v7']
        """
        if not self.of:
            return self.default
        part, _, rest = key.partition(":")
        if part == "checkpoint":
            part = field_of_fold(rest.removeprefix("copy:").partition(".")[0])
        return self.of.get(part, self.default)

    @property
    def all(self) -> list[str]:
        """Every version of which something is served."""
        return sorted({self.default, *self.of.values()})


def field_of_fold(name: str) -> str:
    """Return the field of :data:`VERSIONS` that says where a fold's checkpoints are."""
    return f"checkpoint:{name}"


def read_served(client: redis.Redis) -> ServedVersions:
    """Return what is served now."""
    pipeline = client.pipeline(transaction=False)
    pipeline.get(EPOCH)  # read first: then it is no newer than the rest
    pipeline.get(ANNOUNCED)
    pipeline.hgetall(VERSIONS)
    epoch, announced, held = pipeline.execute()
    return served_from(epoch, announced, held)


def served_from(epoch: bytes | None, announced: bytes | None, held: Mapping[bytes, bytes]) -> ServedVersions:
    """Return what is served, from what Redis holds."""
    of = {part.decode(): version.decode() for part, version in held.items()}
    return ServedVersions((announced or FIRST.encode()).decode(), of, (epoch or b"0").decode())


ANNOUNCE = """
local announced = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], announced)
local known, held = {}, redis.call('HGETALL', KEYS[2])
for i = 1, #held, 2 do known[held[i]] = true end
for i = 2, #ARGV do
  if not known[ARGV[i]] then redis.call('HSET', KEYS[2], ARGV[i], announced) end
end
return 0
"""


def announce_parts(client: redis.Redis, version: str, fields: Iterable[str]) -> None:
    """Tell readers which version to read, of all and of each field that is new."""
    client.register_script(ANNOUNCE)(keys=[ANNOUNCED, VERSIONS], args=[version, *fields])
