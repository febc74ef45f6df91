"""A fold's step, and the script that applies it: the checkpoint compared, all that is written, the checkpoint moved."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import orjson

from aggregates.delta import Delta
from infra.places import LOG, Place

APPLY = """
local held = redis.call('GET', KEYS[1]) or '0'
if held ~= ARGV[1] then return held end
local prefix, delta = ARGV[3], cmsgpack.unpack(ARGV[4])
local function call(command, key, arguments)
  for first = 1, #arguments, 4000 do  -- even, for pairs; unpack gives up at 8000
    redis.call(command, prefix .. key, unpack(arguments, first, math.min(first + 3999, #arguments)))
  end
end
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
redis.call('SET', KEYS[1], ARGV[2])
return ''
"""
"""What a step writes is sent in the shape that its delta has, so that a chunk of counts is packed in one go."""


@dataclass(frozen=True)
class Step:
    """A fold's move from one place to another in what feeds it, with what it writes."""

    fold: str
    before: Place
    after: Place
    delta: Delta
    source: str = LOG


def pack(delta: Delta) -> bytes:
    """A delta as the script takes it. Text is packed as such: Redis's own unpacker knows no bytes."""
    documents = delta.documents.items()
    return msgspec.msgpack.encode(
        {
            "gone": [key for key, document in documents if document is None],
            "documents": {key: orjson.dumps(document).decode() for key, document in documents if document is not None},
            "set": {
                key: [part for pair in fields.items() if pair[1] is not None for part in pair]
                for key, fields in delta.fields.items()
            },
            "unset": {key: [field for field, value in fields.items() if value is None] for key, fields in delta.fields.items()},
            "counts": delta.counts,
            "scores": delta.scores,
        }
    )
