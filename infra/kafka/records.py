"""What a record is: its value, its key, and the partition that the key belongs to.

A value is the log's position and the event's name around the stored bytes, which are not decoded on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, Union

import msgspec
from kafka.partitioner import murmur2

from aggregates.decider import Recorded
from infra.codec import KEY, Codec, key_of
from infra.errors import Unreadable
from infra.event_log.types import Row

MOST_KEYS = 200_000  # in the cache: 30 MB


def hash_of(key: bytes) -> int:
    """Return Kafka's murmur2 hash of a key, made non-negative. Its remainder is the partition."""
    return int(murmur2(key)) & 0x7FFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key, as every client of Kafka computes it.

    >>> [partition_of(key, 16) for key in (b"1057", b"m-1", b"")]
    [10, 13, 9]
    """
    return hash_of(key) % partitions


class KeyHashes:
    """A cache of the keys of stored events, in UTF-8, with their hashes: the same shoppers come again."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[bytes, int]] = {}

    def of(self, state: bytes) -> tuple[bytes, int]:
        """Return the key of a stored event and its hash.

        >>> KeyHashes().of(b'{"key":"1057","member":"1057"}')[0]
        b'1057'
        """
        begins = KEY.match(state)
        found = self._known.get(begins[1]) if begins else None
        if found is None:
            key = key_of(state).encode()
            found = key, hash_of(key)
            if len(self._known) >= MOST_KEYS:
                self._known.clear()
            if begins:
                self._known[begins[1]] = found
        return found


class Envelope(msgspec.Struct, frozen=True):
    """A decoded record value. ``event``: the stored bytes, for the codec to decode by ``name``."""

    position: int
    name: str
    event: msgspec.Raw


DECODER = msgspec.json.Decoder(Envelope)
RECORDED = partial(tuple.__new__, Recorded)


def to_record(row: Row) -> bytes:
    """Return the record value of a stored event.

    >>> to_record(Row(7, "order-1", 2, "OrderPaid", b'{"key":"42","order":"1"}'))
    b'{"position":7,"name":"OrderPaid","event":{"key":"42","order":"1"}}'
    """
    return b'{"position":%d,"name":"%b","event":%b}' % (row.position, row.name.encode(), row.state)


def from_record(value: bytes) -> Envelope:
    """Return the envelope in a record value.

    >>> found = from_record(b'{"position":7,"name":"OrderPaid","event":{"key":"42","order":"1"}}')
    >>> found.position, found.name, bytes(found.event)
    (7, 'OrderPaid', b'{"key":"42","order":"1"}')

    Raises :class:`Unreadable` for anything else.
    """
    try:
        return DECODER.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise Unreadable(f"A record is not an event of ours ({fault}): {value[:80]!r}") from fault


class Envelopes:
    """Decode record values to events: in one pass, unless an event needs a key or an upcaster."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        shapes = [
            msgspec.defstruct("_", [("position", int), ("event", kind or msgspec.Raw)], tag_field="name", tag=name, gc=False)
            for name, kind in codec.plain.items()
        ]
        self._decode = msgspec.json.Decoder(Union[tuple(shapes)]).decode  # noqa: UP007 - the number of types is not fixed

    def open(self, values: Sequence[bytes]) -> list[Recorded]:
        """Return the events. Raises :class:`Unreadable`, and :class:`Newer` if an event needs a later Regulars."""
        try:
            found: list[Any] = list(map(self._decode, values))
        except (msgspec.MsgspecError, UnicodeDecodeError):  # decode one by one, to name the bad one
            return [self._decode_one(value) for value in values]
        opened = [RECORDED((enveloped.position, enveloped.event)) for enveloped in found]
        for index, recorded in enumerate(opened):
            if type(recorded.event) is msgspec.Raw:
                opened[index] = self._decode_one(values[index])
        return opened

    def _decode_one(self, value: bytes) -> Recorded:
        envelope = from_record(value)
        return Recorded(envelope.position, self._codec.decode(envelope.name, bytes(envelope.event)))


@lru_cache(maxsize=8)
def envelopes(codec: Codec) -> Envelopes:
    """Return the cached decoder of a codec, which takes milliseconds to make."""
    return Envelopes(codec)
