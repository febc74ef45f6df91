"""How far a fold has come in what feeds it, as its checkpoint says in one line of text."""

from __future__ import annotations

from typing import NamedTuple

LOG = "log:0"
"""The source of a fold that reads the log itself; a topic's partition is ``{topic}:{partition}``."""


def lacking(position: int) -> str:
    """The source of a fold that lacks one event, which is among the dead letters: it stands there at the event's position
    for as long as it does, else at 0."""
    return f"event:{position}"


def checkpoint_key(fold: str, source: str) -> str:
    """The key of a fold's place in a source."""
    return f"checkpoint:{fold}:{source}"


class Checkpoint(NamedTuple):
    """``position``: of the last event, in the log. In a topic, besides: the ``offset`` of its last record there, and which
    ``topic`` it is by the broker's own id, since a topic that was made anew counts from 0 again.

    ``amended``: how often somebody else wrote right here what the fold should have. The next step leaves it behind; whoever
    holds in memory what it wrote before finds the place changed, and reads again.

    >>> str(Checkpoint(7)), str(Checkpoint(7, 3, "t1")), Checkpoint.read(b"t1 3 7")
    ('7', 't1 3 7', Checkpoint(position=7, offset=3, topic='t1', amended=0))
    >>> str(Checkpoint(7, 3, "t1").amend()), Checkpoint.read("t1 3 7 1").amend().amended
    ('t1 3 7 1', 2)
    """

    position: int = 0
    offset: int = -1
    topic: str = ""
    amended: int = 0

    @classmethod
    def read(cls, text: bytes | str | None) -> Checkpoint:
        if not text:
            return cls()
        match (text.decode() if isinstance(text, bytes) else text).split():
            case topic, offset, position, *amended:
                return cls(int(position), int(offset), topic, *map(int, amended))
            case position, *_:
                return cls(int(position))
            case _:
                return cls()

    def __str__(self) -> str:
        if not self.topic:
            return f"{self.position}"
        return f"{self.topic} {self.offset} {self.position}" + (f" {self.amended}" if self.amended else "")

    def amend(self) -> Checkpoint:
        return self._replace(amended=self.amended + 1)

    def next_offset(self, topic: str) -> int:
        """Where to read on in a topic; its beginning, if it is not the one this place is in."""
        return self.offset + 1 if self.topic == topic else 0

    def reaching(self, there: Checkpoint) -> Checkpoint:
        """The place after a chunk that ends ``there``: its offset, yet never an earlier position.

        >>> Checkpoint(9, 4, "t1").reaching(Checkpoint(6, 5, "t1"))  # published twice
        Checkpoint(position=9, offset=5, topic='t1', amended=0)
        """
        return there if there.position >= self.position else there._replace(position=self.position)

    def before(self, other: Checkpoint) -> bool:
        """Whether somebody who was at ``other`` finds less here than there was."""
        return self.position < other.position or (self.topic == other.topic and self.offset < other.offset)

    def has(self, there: Checkpoint) -> bool:
        """Whether nothing of a chunk that ends ``there`` is new."""
        return there.position <= self.position and there.topic == self.topic and there.offset <= self.offset
