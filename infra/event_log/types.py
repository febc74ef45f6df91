"""What the log speaks of, whatever database is behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from aggregates.decider import Recorded


class Row(NamedTuple):
    """A stored event: ``position`` in the whole log, ``version`` in its stream, both from 1 without gaps."""

    position: int
    stream: str
    version: int
    name: str
    state: bytes


R = TypeVar("R", Recorded, Row)
Since: TypeAlias = Callable[[int, int], list[R]]
"""Up to so many of what is behind a position, in order."""


class Chunks(Protocol[R]):
    """What is behind a position, in chunks as it comes; :meth:`stop` ends it from any thread.

    ``position``: what the next chunk will be behind; whoever has read on by other means moves it.
    """

    position: int

    def stop(self) -> None: ...

    def __iter__(self) -> Iterator[list[R]]: ...


@dataclass(frozen=True)
class Outcome:
    """What came of a request, kept with it for ever. ``position``: the log's head right after it (for reading one's write).

    ``content``: a hash of what was asked, where the request said; another request by the same id is no repetition then.
    """

    request: str
    accepted: bool
    code: str
    sentence: str
    events: int
    position: int
    content: bytes | None = None
    repeated: bool = False


@dataclass(frozen=True)
class Shop:
    """Whose log this is: its calendar's zone (IANA) and its currency (ISO 4217), chosen once."""

    zone: str
    currency: str


@dataclass(frozen=True)
class Relayed:
    """How far a topic has been relayed: the log's ``position``, and ``ends``, the end offset by partition right after it.

    ``topic_id``: the broker's own; a topic that was made anew has another.
    """

    topic_id: str
    position: int
    ends: tuple[int, ...]


@dataclass(frozen=True)
class About:
    """Which database a log is in. ``size``: bytes on its disk. ``schema``: the version of its tables."""

    database: str
    size: int
    schema: int
