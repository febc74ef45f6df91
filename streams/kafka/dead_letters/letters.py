"""What no fold could take, kept with its reason until an operator retries or drops it: a compacted topic, a letter a key."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass

import msgspec
import orjson

EVERY_FOLD = "*"
MOST_KEY, MOST_REASON = 300, 3000  # characters


@dataclass(frozen=True)
class DeadLetter:
    """``fold``: which could not take it, ``*`` for all. ``value``: the record's own bytes. ``position``: None if not told.

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
        """Its key in the topic: written again, be it from another offset, it is the same letter.

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
        return orjson.dumps(asdict(self) | {"value": b64encode(self.value).decode()})

    @classmethod
    def unpack(cls, raw: bytes) -> DeadLetter:
        """
        >>> letter = DeadLetter("*", "t", 0, 1, None, None, "not ours", 0, bytes([255, 0]))
        >>> DeadLetter.unpack(letter.pack()) == letter
        True
        """
        told = orjson.loads(raw)
        return msgspec.convert(told | {"value": b64decode(told["value"])}, cls)
