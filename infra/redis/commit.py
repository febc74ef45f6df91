"""A fold's step, and the script that applies some: each checkpoint compared, all that is written, the checkpoint moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from aggregates.delta import Delta
from infra.redis.checkpoints import LOG, Checkpoint

CALL = 2**18
"""Bytes that steps which are applied by one call write."""

APPLY = """
local prefix, told = ARGV[1], {}
local function call(command, key, arguments)
  for first = 1, #arguments, 4000 do  -- even, for pairs; unpack gives up at 8000
    redis.call(command, prefix .. key, unpack(arguments, first, math.min(first + 3999, #arguments)))
  end
end
local function write(delta)
  for _, key in ipairs(delta.gone) do redis.call('DEL', prefix .. key) end
  for key, document in pairs(delta.documents) do redis.call('SET', prefix .. key, document) end
  for key, pairs_of_it in pairs(delta.set) do call('HSET', key, pairs_of_it) end
  for key, fields in pairs(delta.unset) do call('HDEL', key, fields) end
  for key, counts in pairs(delta.counts) do
    for field, by in pairs(counts) do if by ~= 0 then redis.call('HINCRBY', prefix .. key, field, by) end end
  end
  for key, scores in pairs(delta.scores) do
    for member, by in pairs(scores) do if by ~= 0 then redis.call('ZINCRBY', prefix .. key, by, member) end end
  end
end
for i, checkpoint in ipairs(KEYS) do
  local before, after, delta = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
  local held = redis.call('GET', checkpoint) or '0'
  if held == before then
    if delta ~= '' then write(cmsgpack.unpack(delta)) end
    redis.call('SET', checkpoint, after)
    held = ''
  end
  told[i] = held
end
return told
"""
"""What a step writes is sent in the shape that its delta has, so that a chunk of counts is packed in one go."""


def calls(packed: Sequence[bytes]) -> Iterator[range]:
    """Which steps go in one call each: few bytes, or one step, so that no call keeps a storefront waiting for long.

    >>> list(calls([b"small", b"", b"x" * CALL, b"small"]))
    [range(0, 2), range(2, 3), range(3, 4)]
    """
    first, size = 0, 0
    for index, writes in enumerate(packed):
        if size and size + len(writes) > CALL:
            yield range(first, index)
            first, size = index, 0
        size += len(writes)
    if packed:
        yield range(first, len(packed))


@dataclass(frozen=True)
class CheckpointedWrite:
    """A fold's move from one place to another in what feeds it, with what it writes."""

    fold: str
    before: Checkpoint
    after: Checkpoint
    delta: Delta
    source: str = LOG


def pack(delta: Delta) -> bytes:
    """A delta as the script takes it, empty if it writes nothing. Text is packed as such: Redis's unpacker knows no bytes."""
    if not (delta.documents or delta.fields or delta.counts or delta.scores):
        return b""
    documents = delta.documents.items()
    return msgspec.msgpack.encode(
        {
            "gone": [key for key, document in documents if document is None],
            "documents": {key: msgspec.json.encode(document).decode() for key, document in documents if document is not None},
            "set": {
                key: [part for pair in fields.items() if pair[1] is not None for part in pair]
                for key, fields in delta.fields.items()
            },
            "unset": {key: [field for field, value in fields.items() if value is None] for key, fields in delta.fields.items()},
            "counts": delta.counts,
            "scores": delta.scores,
        }
    )
