"""A record's value: the log's position and the event's name around the stored bytes, which nobody decodes on the way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, Union

import msgspec

from aggregates.decider import Recorded
from infra.codec import Codec
from infra.errors import Unreadable
from infra.event_log.types import Row


class Envelope(msgspec.Struct, frozen=True):
    """What a consumer reads. ``event``: the bytes as they were stored, which the codec decodes by ``name``."""

    position: int
    name: str
    event: msgspec.Raw


DECODER = msgspec.json.Decoder(Envelope)
RECORDED = partial(tuple.__new__, Recorded)


def wrap(row: Row) -> bytes:
    """The value of a stored event's record.

    >>> wrap(Row(7, "order-1", 2, "OrderPaid", b'{"key":"42","order":"1"}'))
    b'{"position":7,"name":"OrderPaid","event":{"key":"42","order":"1"}}'
    """
    return b'{"position":%d,"name":"%b","event":%b}' % (row.position, row.name.encode(), row.state)


def unwrap(value: bytes) -> Envelope:
    """The envelope of a record's value.

    >>> found = unwrap(b'{"position":7,"name":"OrderPaid","event":{"key":"42","order":"1"}}')
    >>> found.position, found.name, bytes(found.event)
    (7, 'OrderPaid', b'{"key":"42","order":"1"}')

    Raises :class:`Unreadable` for anything else.
    """
    try:
        return DECODER.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise Unreadable(f"A record is not an event of ours ({fault}): {value[:80]!r}") from fault


class Envelopes:
    """Records' values to events: the envelope and what is in it in one pass, unless that takes a key or an upcast."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        shapes = [
            msgspec.defstruct("_", [("position", int), ("event", kind or msgspec.Raw)], tag_field="name", tag=name, gc=False)
            for name, kind in codec.plain.items()
        ]
        self._decode = msgspec.json.Decoder(Union[tuple(shapes)]).decode  # noqa: UP007 - of as many as there are

    def open(self, values: Sequence[bytes]) -> list[Recorded]:
        """Raises :class:`Unreadable`, and :class:`Newer` if an event needs a later version of this program."""
        try:
            found: list[Any] = list(map(self._decode, values))
        except (msgspec.MsgspecError, UnicodeDecodeError):  # one of them says what is wrong
            return [self._say(value) for value in values]
        opened = [RECORDED((enveloped.position, enveloped.event)) for enveloped in found]
        for index, recorded in enumerate(opened):
            if type(recorded.event) is msgspec.Raw:
                opened[index] = self._say(values[index])
        return opened

    def _say(self, value: bytes) -> Recorded:
        envelope = unwrap(value)
        return Recorded(envelope.position, self._codec.decode(envelope.name, bytes(envelope.event)))


@lru_cache(maxsize=8)
def envelopes(codec: Codec) -> Envelopes:
    """Made once for a codec: it takes milliseconds."""
    return Envelopes(codec)
