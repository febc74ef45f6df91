"""The event log as everybody speaks of it, whatever database is behind: what is the same in all of them stands here."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from aggregates.decider import Recorded
from infra.codec import Codec
from infra.errors import Misconfigured
from infra.event_log import due_index, statements
from infra.event_log.append import Append, outcome
from infra.event_log.recent_events import Tail
from infra.event_log.relay_checkpoints import RelayBook
from infra.event_log.shop_identity import belonging
from infra.event_log.transaction import Transaction, Values
from infra.event_log.types import About, Chunks, Outcome, R, Relayed, Row, Shop, Since

A = TypeVar("A")

AT_HAND = 8192  # latest events of this process


class EventLog(ABC):
    """Append-only and in order: positions count up from 1 over all streams, without gaps, and in the order of the commits.

    Safe to read from any thread. Raises :class:`Unreachable` where its database does not answer.
    """

    _relay_book: RelayBook

    def __init__(self, codec: Codec, position: str) -> None:
        """``position``: the name of the column that holds it."""
        self.codec = codec
        self.tail = Tail(AT_HAND)
        self.due_index = due_index.DueIndex(self._query)
        told = (statements.HEAD, statements.READ_LOG, statements.READ_EVENTS, statements.LATEST_OF)
        self._head, self._read_log, self._read_events, self._latest_of = (s.format(position=position) for s in told)

    # Reading

    def read(self, stream: str, after: int = 0) -> tuple[list[object], int]:
        """The events of a stream behind version ``after``, and its version."""
        rows = self._query(statements.READ_STREAM, (stream, after))
        return self.codec.decode_stream(rows), rows[-1][0] if rows else after

    def since(self, position: int, limit: int) -> list[Row]:
        """Up to ``limit`` rows behind ``position``, in order."""
        return [Row(*row) for row in self._query(self._read_log, (position, limit))]

    def recorded(self, position: int, limit: int) -> list[Recorded]:
        """Up to ``limit`` events behind ``position``, in order."""
        if at_hand := self.tail.since(position, limit):
            return at_hand
        return self.codec.decode_all(self._query(self._read_events, (position, limit)))

    def head(self) -> int:
        """The position of the latest event, 0 if there is none."""
        return int(self._query(self._head, ())[0][0] or 0)

    def rows_of(self, stream: str, limit: int) -> list[Row]:
        """The latest ``limit`` rows of a stream, in order."""
        return [Row(*row) for row in self._query(self._latest_of, (stream, limit))][::-1]

    def streams_between(self, prefix: str) -> list[str]:
        """Streams whose name begins with ``prefix``, in the order of their characters."""
        return [stream for (stream,) in self._query(statements.STREAMS, (prefix, prefix + "\U0010ffff"))]

    def outcome(self, request: str) -> Outcome | None:
        """What came of a request, None if it was never asked."""
        return next(map(outcome, self._query(statements.OUTCOME, (request,))), None)

    def request_at(self, position: int) -> Outcome | None:
        """The request that brought about the event at a position."""
        found = next(map(outcome, self._query(statements.REQUEST_AT, (position,))), None)
        return found if found and found.position - found.events < position else None

    def subscribe(self, position: int, stopped: threading.Event | None = None, poll: float | None = None) -> Chunks[Recorded]:
        """Events behind ``position`` as they come, from this process or another, until ``stopped`` is set.

        ``poll``: seconds until it looks again, whatever it was told.
        """
        return self._subscription(self.recorded, position, stopped or threading.Event(), poll)

    def subscribe_rows(self, position: int, stopped: threading.Event) -> Chunks[Row]:
        """The same, as they are stored."""
        return self._subscription(self.since, position, stopped, None)

    @abstractmethod
    def about(self) -> About:
        """Which database this is."""

    # Writing

    @contextmanager
    def append(self) -> Iterator[Append]:
        """One transaction, with the writer's lock held: read, decide, append; all of it or nothing.

        Raises :class:`Interrupted` if it is not known whether it has happened.
        """
        with self._appending() as transaction:
            append = Append(transaction, self.codec, int(transaction.rows(self._head)[0][0] or 0))
            yield append
            append.flush()
        self.tail.extend(append.head, append.events)

    @abstractmethod
    def changed_elsewhere(self) -> bool:
        """Whether another process has written since the last call; ask within an append."""

    def erased(self) -> dict[str, int]:
        """Erased members, with the position of their erasure."""
        return dict(self._query(statements.ERASED, ()))

    def incomplete_erasures(self) -> dict[str, int]:
        """Those that may not have reached every file yet."""
        return dict(self._query(statements.INCOMPLETE, ()))

    def erased_everywhere(self, position: int) -> None:
        """Erasures up to a position are complete."""

        def complete() -> None:
            with self._transaction() as transaction:
                transaction.run(statements.COMPLETE, (position,))

        self._again(complete)

    def shop(self, wanted: Shop, chosen: bool) -> Shop:
        """The shop this log belongs to; an empty log becomes that of ``wanted``.

        Raises :class:`Misconfigured` if it is another shop's and ``wanted`` was ``chosen``, not a default.
        """

        def ask() -> Shop:
            with self._appending() as transaction:
                return belonging(transaction, wanted, chosen, empty=not transaction.rows(self._head)[0][0])

        shop = self._again(ask)
        if shop != wanted and chosen:
            raise Misconfigured(
                f"This log is of a shop in {shop.zone} that sells in {shop.currency}, not in {wanted.zone} and "
                f"{wanted.currency}: choose another REGULARS_HOME."
            )
        return shop

    def identity(self) -> str:
        """This log's own name, made with it: read models belong to one log."""
        return str(self._query(statements.IDENTITY, ())[0][0])

    # Relaying

    def relayed(self) -> dict[str, Relayed]:
        """How far each topic has been relayed, by its name."""
        return self._again(self._relay_book.relayed)

    def take_lease(self, owner: str, seconds: float) -> bool:
        """Take or renew the one relay's lease, if it is free, has run out by the database's clock, or is the owner's."""
        return self._again(lambda: self._relay_book.take_lease(owner, seconds))

    def release_lease(self, owner: str) -> None:
        """Give the lease back, if it is the owner's."""
        self._again(lambda: self._relay_book.release_lease(owner))

    def advance(self, owner: str, topic: str, before: Relayed | None, after: Relayed) -> bool:
        """Move a topic's entry from ``before`` (None: there is none yet), if it still is so and the owner's lease holds.

        The position of one ``topic_id`` never moves backwards; a topic made anew may begin anywhere. Raises
        :class:`Interrupted` if it may have been moved: read what it is.
        """
        return self._relay_book.advance(owner, topic, before, after)

    @abstractmethod
    def close(self) -> None: ...

    def _again(self, ask: Callable[[], A]) -> A:
        """What may be asked twice, asked until it is answered."""
        return ask()

    @abstractmethod
    def _subscription(self, since: Since[R], position: int, stopped: threading.Event, poll: float | None) -> Chunks[R]: ...

    @abstractmethod
    def _query(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        """Rows, outside of any transaction."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Transaction]: ...

    @abstractmethod
    def _appending(self) -> AbstractContextManager[Transaction]:
        """A transaction that holds the writer's lock."""
