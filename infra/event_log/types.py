"""The types that the event log and its databases share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from aggregates.decider import Recorded


class Row(NamedTuple):
    """A stored event. ``position`` in the log and ``version`` in the stream count from 1 without gaps."""

    position: int
    stream: str
    version: int
    name: str
    state: bytes


class ClockRow(NamedTuple):
    """The shop's clock after the event at ``position``: the ``latest`` instant that any event was dated until then.

    ``earliest``: of the events since the row before. An event of a time that the clock had passed makes it the smaller one.
    """

    position: int
    latest: int
    earliest: int


R = TypeVar("R", Recorded, Row)
ReadAfter: TypeAlias = Callable[[int, int], list[R]]
"""Return up to a number of events after a position, in order: ``(position, limit)``."""


class Subscription(Protocol[R]):
    """Chunks of what follows a position, as it is appended. Any thread may :meth:`stop` it.

    ``position``: the next chunk begins after it. A caller that has read on by other means sets it.
    """

    position: int

    def stop(self) -> None: ...

    def __iter__(self) -> Iterator[list[R]]: ...


@dataclass(frozen=True)
class Outcome:
    """The outcome of a request, kept for ever. ``position``: the log's head right after it, to wait for one's own write.

    ``content``: a hash of the commands, if the request gave one; then a different request with the same id is no repetition.
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
    """The shop that a log belongs to: its time zone (IANA) and its currency (ISO 4217), chosen once.

    ``digits``: how many decimals of the currency a stored integer counts; None for those that ISO 4217 gives it.
    """

    zone: str
    currency: str
    digits: int | None = None


@dataclass(frozen=True)
class RelayCheckpoint:
    """How far a topic has been relayed: the log's ``position``, and the end offset of each partition in ``ends``.

    ``topic_id``: the broker's. A topic that was deleted and made again has another.
    """

    topic_id: str
    position: int
    ends: tuple[int, ...]


@dataclass(frozen=True)
class DatabaseInfo:
    """The database that holds a log. ``size``: bytes on disk. ``schema``: the version of the tables."""

    database: str
    size: int
    schema: int


Values: TypeAlias = Sequence[object]


class Transaction(Protocol):
    """One open transaction. A statement has a ``?`` for each value, and no other question mark or percent sign."""

    def run(self, statement: str, values: Values = ()) -> None:
        """Send a statement without waiting for its result."""

    def rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Send a statement and return its rows."""

    def among(self, statement: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
        """Like :meth:`rows`, for many values: ``{among}`` follows the column that must equal one of them."""

    def insert(self, table: str, rows: Sequence[Values]) -> None:
        """Insert whole rows at once."""
