"""Dead letters: what no fold could take, kept with the reason until an operator retries or drops it.

They are in a compacted topic, a letter a key.
"""

from __future__ import annotations

import contextlib
import time
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from typing import Protocol

import msgspec
import orjson

from infra.errors import Unreadable
from infra.kafka.records import from_record

EVERY_FOLD = "*"
MOST_KEY, MOST_REASON = 300, 3000  # characters


class KafkaRecord(Protocol):
    """What Kafka delivers."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass(frozen=True)
class DeadLetter:
    """``fold``: which could not take it, ``*`` for all. ``value``: the record's own bytes. ``position``: None if unknown.

    ``at``: when it was written, UTC epoch milliseconds.
    """

    fold: str
    topic: str
    partition: int
    offset: int
    position: int | None
    key: str | None
    reason: str
    at: int
    value: bytes

    @property
    def id(self) -> str:
        """Its key in the topic. Written again, even from another offset, it is the same letter.

        >>> DeadLetter("card.1", "regulars.events", 3, 17, 9, "m-1", "", 0, b"").id
        '9/card.1'
        >>> DeadLetter("*", "regulars.events", 3, 17, 9, "m-1", "", 0, b"").id
        '9/regulars.events'
        >>> DeadLetter("*", "regulars.events", 3, 17, None, None, "", 0, b"").id
        'regulars.events/3/17'
        """
        if self.position is None:
            return f"{self.topic}/{self.partition}/{self.offset}"
        return f"{self.position}/{self.topic if self.fold == EVERY_FOLD else self.fold}"

    def pack(self) -> bytes:
        """Return the letter as JSON, its value in Base64."""
        return orjson.dumps(asdict(self) | {"value": b64encode(self.value).decode()})

    @classmethod
    def unpack(cls, raw: bytes) -> DeadLetter:
        """Return a packed letter.

        >>> letter = DeadLetter("*", "t", 0, 1, None, None, "not ours", 0, bytes([255, 0]))
        >>> DeadLetter.unpack(letter.pack()) == letter
        True
        """
        fields = orjson.loads(raw)
        return msgspec.convert(fields | {"value": b64decode(fields["value"])}, cls)


def letter_of(record: KafkaRecord, topic: str, partition: int, fold: str, reason: str) -> DeadLetter:
    """Return the letter for a record that a fold cannot take, dated now."""
    value, position = record.value or b"", None
    with contextlib.suppress(Unreadable):
        position = from_record(value).position
    key = record.key.decode(errors="replace")[:MOST_KEY] if record.key else None
    now = round(time.time() * 1000)
    return DeadLetter(fold, topic, partition, record.offset, position, key, reason[:MOST_REASON], now, value)


def name_in(letter: DeadLetter) -> str | None:
    """Return the stored name of the letter's event, None if its record is none."""
    with contextlib.suppress(Unreadable):
        return from_record(letter.value).name
    return None
