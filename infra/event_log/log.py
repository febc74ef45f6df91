"""The event log: what every database that holds one has in common.

``sqlite.py`` and ``postgres.py`` supply the connections; statements, appending and reading are the same for both.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

from aggregates.currencies import digits
from aggregates.decider import Recorded, Refusal
from infra.codec import Codec
from infra.errors import Misconfigured, Unreadable
from infra.event_log import statements
from infra.event_log.append import Append, outcome_from
from infra.event_log.relay_checkpoints import RelayCheckpoints
from infra.event_log.types import (
    ClockRow,
    DatabaseInfo,
    Outcome,
    R,
    ReadAfter,
    RelayCheckpoint,
    Row,
    Shop,
    Subscription,
    Transaction,
    Values,
)


class RecentEvents:
    """Hold the latest committed events in memory, so that a follower in the same process need not read them back.

    They equal what decoding the stored bytes gives: every golden file tests that.

    ``most``: how many it holds at most; ``most_bytes``: of what size as stored.

    >>> recent = RecentEvents(3, most_bytes=99)
    >>> recent.extend(4, ["a", "b", "c", "d"], [9, 9, 9, 9])
    >>> recent.since(2, limit=9), recent.since(0, limit=9), recent.since(4, limit=9)
    ([Recorded(position=3, event='c'), Recorded(position=4, event='d')], [], [])
    >>> recent.extend(5, ["e"], [90])
    >>> recent.since(3, limit=9), recent.since(2, limit=9)
    ([Recorded(position=4, event='d'), Recorded(position=5, event='e')], [])
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._latest: tuple[int, list[object]] = (0, [])  # the last position, and the events up to it
        self._sizes: deque[int] = deque()
        self._bytes = 0

    def extend(self, head: int, committed: list[object], sizes: Sequence[int]) -> None:
        """Add events just committed, up to ``head``. A gap before them (another process wrote) drops the older ones."""
        last, latest = self._latest
        if head - len(committed) != last:
            latest, self._bytes = [], 0
            self._sizes.clear()
        self._sizes.extend(sizes)
        self._bytes += sum(sizes)
        while self._sizes and (len(self._sizes) > self._most or self._bytes > self._most_bytes):
            self._bytes -= self._sizes.popleft()
        kept = [*latest, *committed]
        self._latest = head, kept[len(kept) - len(self._sizes) :]

    def since(self, position: int, limit: int) -> list[Recorded]:
        """Return up to ``limit`` events after ``position``. An empty list means not in memory, not that the log has no more."""
        last, latest = self._latest
        first = position - (last - len(latest))
        if first < 0:
            return []
        make = Recorded._make
        return [make(pair) for pair in enumerate(latest[first : first + limit], position + 1)]


def within(most: int, sizes: Iterable[tuple[int]]) -> int:
    """Return how many of these have at most so many bytes together; the first counts whatever its size.

    >>> within(10, [(4,), (6,), (1,)]), within(10, [(99,), (1,)]), within(10, [])
    (2, 1, 0)
    """
    count = 0
    for (size,) in sizes:
        most -= size
        if most < 0 and count:
            break
        count += 1
    return count


DUE_INDEX = "due.2"  # the first was of memberships alone


class DueIndex:
    """From when on each stream has something due, so that a tick need not look at every member.

    A row is written in the transaction of the events that set its instant, so the index is never behind the log. A log that is
    older than the index gets it built once, from the streams. ``query`` returns rows outside of any transaction.
    """

    def __init__(self, query: Callable[[str, Values], list[tuple[Any, ...]]]) -> None:
        self._query = query

    def due(self, now: int, limit: int) -> dict[str, int]:
        """Return up to ``limit`` streams with something due at ``now``, with the instant it was due, the earliest first."""
        return dict(self._query(statements.DUE, (now, limit)))

    def all(self) -> dict[str, int]:
        """Return every stream for which something will be due, and when."""
        return dict(self._query(statements.ALL_DUE, ()))

    @property
    def is_complete(self) -> bool:
        return bool(self._query(statements.IS_INDEXED, (DUE_INDEX,)))


def is_same(shop: Shop, wanted: Shop) -> bool:
    """Return whether a log's shop is the wanted one, whose decimals may be left open."""
    return shop == replace(wanted, digits=shop.digits if wanted.digits is None else wanted.digits)


def with_digits(shop: Shop) -> Shop:
    """Return a shop with the decimals of its currency, unless it has others already.

    Raises :class:`Misconfigured` if ISO 4217 has no such currency.
    """
    if shop.digits is not None:
        return shop
    try:
        return replace(shop, digits=digits(shop.currency))
    except Refusal as refusal:
        raise Misconfigured(str(refusal)) from None


def establish_shop(transaction: Transaction, wanted: Shop, chosen: bool, empty: bool) -> Shop:
    """Return the shop of this log; a new log becomes that of ``wanted``, an ``empty`` one if ``wanted`` was ``chosen``."""
    if not (found := transaction.rows(statements.SHOP)):
        transaction.run(statements.NEW_SHOP, (wanted.zone, wanted.currency, uuid4().hex, wanted.digits))
        if empty:
            transaction.run(statements.INDEXED, (DUE_INDEX,))
        return wanted
    shop = Shop(*found[0])
    if shop != wanted and chosen and empty:
        transaction.run(statements.OTHER_SHOP, (wanted.zone, wanted.currency, wanted.digits))
        return wanted
    return shop


A = TypeVar("A")

RECENT = 8192  # events of this process kept in memory
CHUNK_BYTES = 8 << 20
"""The most that is read at once, or kept of recent events, as stored; in memory it takes some times as many."""


class EventLog(ABC):
    """An append-only log. Positions count from 1 over all streams, without gaps, in the order of the commits.

    Any thread may read. Every call raises :class:`Unreachable` if the database does not answer.
    """

    _relay_checkpoints: RelayCheckpoints

    def __init__(self, codec: Codec, position: str) -> None:
        """``position``: the name of the column that holds an event's position."""
        self.codec = codec
        self.recent = RecentEvents(RECENT, CHUNK_BYTES)
        self.due_index = DueIndex(self._query)
        reading = (statements.HEAD, statements.READ_LOG, statements.SIZES, statements.READ_EVENTS, statements.LATEST_OF)
        texts = (statement.format(position=position) for statement in reading)
        self._head, self._read_log, self._sizes, self._read_events, self._latest_of = texts

    # Reading

    def read(self, stream: str, after: int = 0) -> tuple[list[object], int]:
        """Return the events of a stream after version ``after``, and its latest version."""
        rows = self._query(statements.READ_STREAM, (stream, after))
        return self.codec.decode_stream(rows), rows[-1][0] if rows else after

    def since(self, position: int, limit: int) -> list[Row]:
        """Return up to ``limit`` stored rows after ``position``, in order."""
        return [Row(*row) for row in self._query(self._read_log, (position, limit))]

    def recorded(self, position: int, limit: int) -> list[Recorded]:
        """Return up to ``limit`` events after ``position``, in order: one, or as many as have :data:`CHUNK_BYTES` together."""
        if in_memory := self.recent.since(position, limit):
            return in_memory
        if not (limit := within(CHUNK_BYTES, self._query(self._sizes, (position, limit)))):
            return []
        return self.codec.decode_all(self._query(self._read_events, (position, limit)))

    def recorded_of(self, position: int, limit: int, names: Collection[str]) -> tuple[list[Recorded], int]:
        """Return those of up to ``limit`` events after ``position`` that are stored under these names, and where reading ended.

        Only these are decoded. Raises :class:`Unreadable` with the position of an event that cannot be read, and
        :class:`Newer` if any event has a name that this program does not know.
        """
        if not (limit := within(CHUNK_BYTES, self._query(self._sizes, (position, limit)))):
            return [], position
        rows = self._query(self._read_events, (position, limit))
        wanted = [row for row in rows if row[1] in names]
        if len(wanted) < len(rows):
            for _, name, state in rows:
                if name not in self.codec.plain:
                    self.codec.decode(name, state)
        try:
            return self.codec.decode_all(wanted), rows[-1][0]
        except Unreadable:
            for number, name, state in wanted:
                try:
                    self.codec.decode(name, state)
                except Unreadable as fault:
                    raise type(fault)(f"Event #{number}: {fault}") from fault
            raise

    def head(self) -> int:
        """Return the position of the latest event, 0 if there is none."""
        return int(self._query(self._head, ())[0][0] or 0)

    def rows_of(self, stream: str, limit: int) -> list[Row]:
        """Return the latest ``limit`` rows of a stream, in order."""
        return [Row(*row) for row in self._query(self._latest_of, (stream, limit))][::-1]

    def streams_between(self, prefix: str) -> list[str]:
        """Return the streams whose name begins with ``prefix``, sorted by code point."""
        return [stream for (stream,) in self._query(statements.STREAMS, (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)))]

    def left(self, key: str, at: int) -> int | None:
        """How much of a limit is left, holds that have lapsed by then included; None of a key without a limit."""
        return next((int(left) for (left,) in self._query(statements.LEFT, (at, key))), None)

    def outcome(self, request: str) -> Outcome | None:
        """Return the outcome of a request, None if there is none yet."""
        return next(map(outcome_from, self._query(statements.OUTCOME, (request,))), None)

    def request_at(self, position: int) -> Outcome | None:
        """Return the request that caused the event at a position, None for an event of no request."""
        found = next(map(outcome_from, self._query(statements.REQUEST_AT, (position,))), None)
        return found if found and found.position - found.events < position else None

    def subscribe(
        self, position: int, stopped: threading.Event | None = None, poll: float | None = None
    ) -> Subscription[Recorded]:
        """Return events after ``position`` as they are appended, by any process, until ``stopped`` is set.

        ``poll``: seconds until it looks again even without a notification.
        """
        return self._subscription(self.recorded, position, stopped or threading.Event(), poll)

    def subscribe_rows(self, position: int, stopped: threading.Event) -> Subscription[Row]:
        """Like :meth:`subscribe`, but return stored rows."""
        return self._subscription(self.since, position, stopped, None)

    @abstractmethod
    def database_info(self) -> DatabaseInfo:
        """Describe the database, for operators."""

    # Writing

    def clock(self) -> list[ClockRow]:
        """Return the shop's clock as far as it was noted, a row every so many events, in order."""
        return [ClockRow(*row) for row in self._query(statements.CLOCK, ())]

    def note_clock(self, rows: Sequence[ClockRow]) -> None:
        """Keep rows of the clock. They follow from the events, so it does not matter who writes them, or how often."""

        def note() -> None:
            with self._transaction() as transaction:
                for row in rows:
                    transaction.run(statements.NEW_CLOCK, row)

        self._repeat(note)

    @contextmanager
    def append(self) -> Iterator[Append]:
        """Open one transaction that holds the writer's lock: read, decide and append happen together or not at all.

        Raises :class:`ConnectionLost` if it is unknown whether the transaction was committed.
        """
        with self._appending() as transaction:
            append = Append(transaction, self.codec, int(transaction.rows(self._head)[0][0] or 0))
            yield append
            append.flush()
        self.recent.extend(append.head, append.events, append.sizes)

    @abstractmethod
    def changed_elsewhere(self) -> bool:
        """Return whether another process has written since the last call. Call it within an append."""

    def erased(self, after: int = 0) -> dict[str, int]:
        """Return the members who were erased after a position, with the position of their erasure."""
        return dict(self._query(statements.ERASED, (after,)))

    def incomplete_erasures(self) -> dict[str, int]:
        """Return the erasures that may not have reached every file yet."""
        return dict(self._query(statements.INCOMPLETE, ()))

    def erased_everywhere(self, position: int) -> None:
        """Mark the erasures up to a position as complete."""

        def complete() -> None:
            with self._transaction() as transaction:
                transaction.run(statements.COMPLETE, (position,))

        self._repeat(complete)

    def shop(self, wanted: Shop, chosen: bool) -> Shop:
        """Return the shop this log belongs to. An empty log becomes that of ``wanted``.

        Raises :class:`Misconfigured` if the log is another shop's and ``wanted`` was ``chosen``, not a default.
        """

        found = self._query(statements.SHOP, ())
        if found and (not chosen or is_same(Shop(*found[0]), wanted)):
            return Shop(*found[0])  # without a lock: who reads waits for no writer
        complete = with_digits(wanted)

        def establish() -> Shop:
            with self._appending() as transaction:
                return establish_shop(transaction, complete, chosen, empty=not transaction.rows(self._head)[0][0])

        shop = self._repeat(establish)
        if chosen and not is_same(shop, wanted):
            if (shop.zone, shop.currency) == (wanted.zone, wanted.currency):
                raise Misconfigured(
                    f"This log counts {shop.currency} with {shop.digits} decimals, not with {wanted.digits}: choose another "
                    "REGULARS_HOME."
                )
            raise Misconfigured(
                f"This log belongs to a shop in {shop.zone} that sells in {shop.currency}, not to one in {wanted.zone} that "
                f"sells in {wanted.currency}: choose another REGULARS_HOME."
            )
        return shop

    def identity(self) -> str:
        """Return the random name that was given to this log when it was made. Read models belong to one log."""
        return str(self._query(statements.IDENTITY, ())[0][0])

    # Relaying

    def relayed(self) -> dict[str, RelayCheckpoint]:
        """Return how far each topic has been relayed, by its name."""
        return self._repeat(self._relay_checkpoints.relayed)

    def take_lease(self, owner: str, seconds: float) -> bool:
        """Take or renew the relay's lease, and return whether the owner holds it. Its end is judged by the database's clock."""
        return self._repeat(lambda: self._relay_checkpoints.take_lease(owner, seconds))

    def release_lease(self, owner: str) -> None:
        """Give the lease back if it is the owner's."""
        self._repeat(lambda: self._relay_checkpoints.release_lease(owner))

    def advance(self, owner: str, topic: str, before: RelayCheckpoint | None, after: RelayCheckpoint) -> bool:
        """Move a topic's checkpoint from ``before`` (None: there is none yet) to ``after``.

        Return False if the stored one is not ``before``, if the owner's lease does not hold, or if the position of the same
        ``topic_id`` would move back. Raises :class:`ConnectionLost` if it is unknown whether it moved: read it again.
        """
        return self._relay_checkpoints.advance(owner, topic, before, after)

    @abstractmethod
    def close(self) -> None: ...

    def _repeat(self, call: Callable[[], A]) -> A:
        """Run an idempotent call, repeated while the connection is lost."""
        return call()

    @abstractmethod
    def _subscription(
        self, since: ReadAfter[R], position: int, stopped: threading.Event, poll: float | None
    ) -> Subscription[R]: ...

    @abstractmethod
    def _query(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        """Return rows, outside of any transaction."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Transaction]: ...

    @abstractmethod
    def _appending(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that holds the writer's lock."""
