"""How far a fold has come in what feeds it. A checkpoint is stored as one line of text."""

from __future__ import annotations

from typing import NamedTuple

from infra.errors import Amended, Superseded, VersionDropped

DROPPED = "dropped"
"""Stands where a checkpoint was, once its version is dropped: no writer expects it, so none writes there again."""

LOG = "log:0"
"""The source of a fold that reads the log itself. The source for a topic's partition is ``{topic}:{partition}``."""


def missing_event(position: int) -> str:
    """Return the source that marks one event as missing from a fold, because it is among the dead letters.

    The fold's checkpoint there is the event's position while it is missing, and 0 otherwise.
    """
    return f"event:{position}"


def checkpoint_key(fold: str, source: str) -> str:
    """Return the key of a fold's checkpoint in a source, without the version's prefix."""
    return f"checkpoint:{fold}:{source}"


def copy_key(fold: str, source: str) -> str:
    """Return the key of a checkpoint's copy, which tells a checkpoint that was lost from one that never was."""
    return f"checkpoint:copy:{fold}:{source}"


class Checkpoint(NamedTuple):
    """The last event that a fold has taken.

    ``position``: that event's, in the log. In a topic also ``offset``, of the last record there, and ``topic``, the broker's
    id of the topic: a topic that was deleted and made again counts from 0.

    ``amended``: how often a retry of a dead letter, or a repair, has written here what the fold should hold. The next write
    resets it. A writer that keeps documents in memory finds the checkpoint changed, and reads them again. Where the log feeds
    the fold, the stored text stays a number, which storefronts read: it gets a zero in front for each time.

    >>> str(Checkpoint(7)), str(Checkpoint(7, 3, "t1")), Checkpoint.parse(b"t1 3 7")
    ('7', 't1 3 7', Checkpoint(position=7, offset=3, topic='t1', amended=0))
    >>> str(Checkpoint(7, 3, "t1").amend()), Checkpoint.parse("t1 3 7 1").amend().amended
    ('t1 3 7 1', 2)
    >>> str(Checkpoint(7).amend()), Checkpoint.parse("07").amended
    ('07', 1)
    """

    position: int = 0
    offset: int = -1
    topic: str = ""
    amended: int = 0

    @classmethod
    def parse(cls, text: bytes | str | None) -> Checkpoint:
        """Return a stored checkpoint, or the beginning of the log for an empty text. Raises :class:`VersionDropped`."""
        if not text:
            return cls()
        match (text.decode() if isinstance(text, bytes) else text).split():
            case ("dropped",):
                raise VersionDropped("This version of the read models was dropped: read `regulars:versions` again.")
            case topic, offset, position, *amended:
                return cls(int(position), int(offset), topic, *map(int, amended))
            case position, *_:
                return cls(int(position), amended=len(position) - len(str(int(position))))
            case _:
                return cls()

    def __str__(self) -> str:
        if not self.topic:
            return "0" * self.amended + f"{self.position}"
        return f"{self.topic} {self.offset} {self.position}" + (f" {self.amended}" if self.amended else "")

    def amend(self) -> Checkpoint:
        return self._replace(amended=self.amended + 1)

    def next_offset(self, topic: str) -> int:
        """Return the offset to read on from in a topic; 0 if this checkpoint is in another topic."""
        return self.offset + 1 if self.topic == topic else 0

    def advanced_to(self, end: Checkpoint) -> Checkpoint:
        """Return the checkpoint after a chunk that ends at ``end``: its offset, but never a lower position.

        >>> Checkpoint(9, 4, "t1").advanced_to(Checkpoint(6, 5, "t1"))  # published twice
        Checkpoint(position=9, offset=5, topic='t1', amended=0)
        """
        return end if end.position >= self.position else end._replace(position=self.position)

    def is_before(self, other: Checkpoint) -> bool:
        """Return whether Redis holds less here than at ``other``."""
        return self.position < other.position or (self.topic == other.topic and self.offset < other.offset)

    def is_amended(self, believed: Checkpoint) -> bool:
        """Return whether this is the believed checkpoint after someone amended what Redis holds there."""
        return self == believed._replace(amended=self.amended) and self.amended > believed.amended

    def covers(self, end: Checkpoint) -> bool:
        """Return whether a chunk that ends at ``end`` holds nothing new."""
        return end.position <= self.position and end.topic == self.topic and end.offset <= self.offset


def superseded(fold: str, source: str, held: str, believed: Checkpoint) -> Superseded:
    """Return the fault of a writer whose fold stands elsewhere in Redis than it believed."""
    kind = Amended if Checkpoint.parse(held).is_amended(believed) else Superseded
    return kind(fold, source, held, str(believed))
