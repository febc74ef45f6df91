"""A record's value: the log's position and the event's name around the stored bytes, which nobody decodes on the way."""

from __future__ import annotations

import msgspec

from infra.event_log.shapes import Row
from infra.faults import Unreadable


class Envelope(msgspec.Struct, frozen=True):
    """What a consumer reads. ``event``: the bytes as they were stored, which the codec decodes by ``name``."""

    position: int
    name: str
    event: msgspec.Raw


DECODER = msgspec.json.Decoder(Envelope)


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
