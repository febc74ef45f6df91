"""How far a fold has come in what feeds it, as its checkpoint says in one line of text."""

from __future__ import annotations

from typing import NamedTuple

LOG = "log:0"
"""The source of a fold that reads the log itself; a topic's partition is ``{topic}:{partition}``."""


class Place(NamedTuple):
    """``position``: of the last event, in the log. In a topic, besides: the ``offset`` of its last record there, and which
    ``topic`` it is by the broker's own id, since a topic that was made anew counts from 0 again.

    >>> str(Place(7)), str(Place(7, 3, "t1")), Place.read(b"t1 3 7")
    ('7', 't1 3 7', Place(position=7, offset=3, topic='t1'))
    """

    position: int = 0
    offset: int = -1
    topic: str = ""

    @classmethod
    def read(cls, text: bytes | str | None) -> Place:
        if not text:
            return cls()
        *where, position = (text.decode() if isinstance(text, bytes) else text).split()
        return cls(int(position), int(where[1]), where[0]) if where else cls(int(position))

    def __str__(self) -> str:
        return f"{self.topic} {self.offset} {self.position}" if self.topic else f"{self.position}"

    def next_offset(self, topic: str) -> int:
        """Where to read on in a topic; its beginning, if it is not the one this place is in."""
        return self.offset + 1 if self.topic == topic else 0

    def reaching(self, there: Place) -> Place:
        """The place after a chunk that ends ``there``: its offset, yet never an earlier position.

        >>> Place(9, 4, "t1").reaching(Place(6, 5, "t1"))  # published twice
        Place(position=9, offset=5, topic='t1')
        """
        return there if there.position >= self.position else there._replace(position=self.position)

    def before(self, other: Place) -> bool:
        """Whether somebody who was at ``other`` finds less here than there was."""
        return self.position < other.position or (self.topic == other.topic and self.offset < other.offset)

    def has(self, there: Place) -> bool:
        """Whether nothing of a chunk that ends ``there`` is new."""
        return there.position <= self.position and there.topic == self.topic and there.offset <= self.offset
