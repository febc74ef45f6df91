"""Writes a fold's changes and moves its checkpoint in one atomic step, if the checkpoint is where the writer expects it.

A second writer of the same step finds the checkpoint moved and changes nothing. It may be a restarted worker, a worker that was
thought dead, or a silent retry of the client. Each checkpoint has a copy, so that a fold whose checkpoint is lost does not
start from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import redis

from aggregates.delta import Delta
from infra.errors import VersionsChanged
from infra.redis.checkpoints import LOG, Checkpoint, checkpoint_key, superseded

CALL_BYTES = 2**18
"""Writes go in calls of so many bytes, so that no call blocks a storefront's reads for long."""

SCRIPT = """
local prefix, epoch, found = ARGV[1], ARGV[2], {}
if epoch ~= '' and (redis.call('GET', 'regulars:epoch') or '0') ~= epoch then return redis.error_reply('VERSIONS changed') end
local function call(command, key, arguments)
  for first = 1, #arguments, 4000 do  -- even, for pairs; unpack gives up at 8000
    redis.call(command, prefix .. key, unpack(arguments, first, math.min(first + 3999, #arguments)))
  end
end
local function write(delta)
  for _, key in ipairs(delta.gone) do redis.call('DEL', prefix .. key) end
  local flat = {}
  for key, document in pairs(delta.documents) do
    flat[#flat + 1] = prefix .. key
    flat[#flat + 1] = document
  end
  for first = 1, #flat, 4000 do redis.call('MSET', unpack(flat, first, math.min(first + 3999, #flat))) end
  for key, pairs_of_it in pairs(delta.set) do call('HSET', key, pairs_of_it) end
  for key, fields in pairs(delta.unset) do call('HDEL', key, fields) end
  for key, counts in pairs(delta.counts) do
    for field, by in pairs(counts) do if by ~= 0 then redis.call('HINCRBY', prefix .. key, field, by) end end
  end
  for key, scores in pairs(delta.scores) do
    for member, by in pairs(scores) do
      if by ~= 0 and tonumber(redis.call('ZINCRBY', prefix .. key, by, member)) == 0 then
        redis.call('ZREM', prefix .. key, member)
      end
    end
  end
end
for i, checkpoint in ipairs(KEYS) do
  local before, after, delta = ARGV[3 * i], ARGV[3 * i + 1], ARGV[3 * i + 2]
  local copy = prefix .. 'checkpoint:copy:' .. string.sub(checkpoint, #prefix + 12)
  local held = redis.call('GET', checkpoint) or redis.call('GET', copy) or '0'
  if held == before then
    if delta ~= '' then write(cmsgpack.unpack(delta)) end
    redis.call('SET', checkpoint, after)
    redis.call('SET', copy, after)
    held = ''
  end
  found[i] = held
end
return found
"""

Refusals: TypeAlias = Mapping[tuple[str, str], str]
"""The writes by fold and source: empty text for one that was made, else the checkpoint that Redis holds instead."""


@dataclass(frozen=True)
class CheckpointedWrite:
    """What a fold writes, and its move from one checkpoint to the next in a source."""

    fold: str
    before: Checkpoint
    after: Checkpoint
    delta: Delta
    source: str = LOG


CHANGED = "VERSIONS changed"
"""What the script answers if other versions are served, or kept up, than the writer knows of."""


class Committer:
    """Applies checkpointed writes.

    ``prefix_of``: the version that a key begins with. ``epoch``: that of :mod:`infra.redis.versions` as of which this is so,
    None if nothing need be compared.
    """

    def __init__(self, client: redis.Redis, prefix_of: Callable[[str], str], epoch: str | None = None) -> None:
        self._client = client
        self._prefix_of = prefix_of
        self._epoch = epoch or ""
        self._sha: str | None = None

    def commit(self, writes: Sequence[CheckpointedWrite]) -> Refusals:
        """Apply writes, each whole or not at all, in one round trip.

        Raises :class:`VersionsChanged` if the epoch has moved; then read the versions and the checkpoints again.
        """
        if not writes:
            return {}
        packed = [pack(write.delta) for write in writes]
        try:
            held = self._send(self._sha or self._load(), writes, packed)
        except redis.exceptions.NoScriptError:  # the server was started anew: nothing was applied
            held = self._send(self._load(), writes, packed)
        return {(write.fold, write.source): at.decode() for write, at in zip(writes, held, strict=True)}

    def _send(self, sha: str, writes: Sequence[CheckpointedWrite], packed: Sequence[bytes]) -> list[bytes]:
        pipeline = self._client.pipeline(transaction=False)
        prefixes = [self._prefix_of(checkpoint_key(write.fold, write.source)) for write in writes]
        for call in calls(packed, prefixes):
            prefix = prefixes[call[0]]
            keys = [prefix + checkpoint_key(writes[index].fold, writes[index].source) for index in call]
            moves = [(str(writes[index].before), str(writes[index].after), packed[index]) for index in call]
            pipeline.evalsha(sha, len(keys), *keys, prefix, self._epoch, *(part for move in moves for part in move))
        try:
            return [held for answer in pipeline.execute() for held in answer]
        except redis.exceptions.ResponseError as fault:
            if CHANGED in str(fault):
                raise VersionsChanged from fault
            raise

    def _load(self) -> str:
        self._sha = sha = str(self._client.script_load(SCRIPT))
        return sha


def all_applied(writes: Iterable[CheckpointedWrite], refusals: Refusals) -> bool:
    """Return whether all writes were made by this commit.

    False if a checkpoint was already where its write ends: an earlier call whose answer was lost has made the write, or
    another writer has. Redis is right then, but documents may have been read after that write: forget what is in memory.

    Raises :class:`~infra.errors.Superseded` if a checkpoint is anywhere else.
    """
    by_us = True
    for write in writes:
        held = refusals[write.fold, write.source]
        if held and held != str(write.after):
            raise superseded(write.fold, write.source, held, write.before)
        by_us = by_us and not held
    return by_us


def calls(packed: Sequence[bytes], prefixes: Sequence[str]) -> Iterator[range]:
    """Group writes under one prefix into calls of up to :data:`CALL_BYTES`; a larger write has a call to itself.

    >>> list(calls([b"small", b"", b"x" * CALL_BYTES, b"small"], ["v1:"] * 4))
    [range(0, 2), range(2, 3), range(3, 4)]
    >>> list(calls([b"small", b"small"], ["v1:", "v7:"]))
    [range(0, 1), range(1, 2)]
    """
    first, size = 0, 0
    for index, write in enumerate(packed):
        if index > first and (prefixes[index] != prefixes[first] or (size and size + len(write) > CALL_BYTES)):
            yield range(first, index)
            first, size = index, 0
        size += len(write)
    if packed:
        yield range(first, len(packed))


def pack(delta: Delta) -> bytes:
    """Encode a delta for the script; empty if it writes nothing. Text stays text: Redis's unpacker knows no bytes."""
    if not (delta.documents or delta.fields or delta.counts or delta.scores):
        return b""
    documents = delta.documents.items()
    content: dict[str, Any] = {
        "gone": [key for key, document in documents if document is None],
        "documents": {key: msgspec.json.encode(document).decode() for key, document in documents if document is not None},
        "set": {
            key: [part for name, value in fields.items() if value is not None for part in (name, value)]
            for key, fields in delta.fields.items()
        },
        "unset": {key: [field for field, value in fields.items() if value is None] for key, fields in delta.fields.items()},
        "counts": delta.counts,
        "scores": delta.scores,
    }
    return msgspec.msgpack.encode(content)
