"""One append: look up earlier outcomes, read streams, enforce constraints, add events to several streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeAlias

from infra.codec import Codec
from infra.event_log import statements
from infra.event_log.types import Outcome, Transaction

LimitRows: TypeAlias = dict[tuple[str, str | None], tuple[int, int]]
"""Rows by key, holds by key and holder."""


class Append:
    """An open append. The writer's lock is held, so what is read stays true until the commit. :meth:`flush` sends the rows."""

    def __init__(self, transaction: Transaction, codec: Codec, head: int) -> None:
        self.head = head
        self.events: list[object] = []  # added so far, in order
        self._transaction = transaction
        self._codec = codec
        self._rows: list[tuple[int, str, int, str, bytes]] = []
        self._outcomes: list[tuple[str, bool, str, str, int, int, bytes | None]] = []
        self._erased: list[tuple[str, int]] = []
        self._due: dict[str, int | None] = {}

    @property
    def sizes(self) -> list[int]:
        """Return the stored size of each event added."""
        return [len(state) for *_, state in self._rows]

    @property
    def erases(self) -> bool:
        """Whether a member's key must be destroyed once this is committed."""
        return bool(self._erased)

    def outcomes(self, requests: Sequence[str]) -> dict[str, Outcome]:
        """Return the first outcome of each of these requests that was handled before."""
        found = map(outcome_from, self._transaction.among(statements.OUTCOMES, requests))
        return {earlier.request: replace(earlier, repeated=True) for earlier in found}

    def read(self, streams: Sequence[str]) -> dict[str, tuple[list[object], int]]:
        """Return the stored events and the version of each stream, without what this append has added."""
        events: dict[str, list[object]] = {stream: [] for stream in streams}
        if streams:
            for stream, name, state in self._transaction.among(statements.READ_STREAMS, streams):
                events[stream].append(self._codec.decode(name, state))
        return {stream: (found, len(found)) for stream, found in events.items()}

    def add(self, stream: str, version: int, event: object) -> None:
        self._rows.append((self.head + 1, stream, version, *self._codec.encode(event)))
        self.head += 1
        self.events.append(event)
        if type(event) in self._codec.erasing:
            self._erased.append((self._codec.partition_key(event), self.head))

    def record(self, outcome: Outcome) -> None:
        self._outcomes.append(
            (
                outcome.request,
                outcome.accepted,
                outcome.code,
                outcome.sentence,
                outcome.events,
                outcome.position,
                outcome.content,
            )
        )

    def forget(self, request: str) -> None:
        """Forget the refusal of a request, which is asked again in other words. An accepted answer stays."""
        self._outcomes = [row for row in self._outcomes if row[0] != request or row[1]]
        self._transaction.run(statements.FORGET, (request,))

    @contextmanager
    def savepoint(self, guarded: bool) -> Iterator[None]:
        """Undo the events added inside, and if ``guarded`` the constraint rows too, when the block raises."""
        head, rows, erased = self.head, len(self._rows), len(self._erased)
        if guarded:
            self._transaction.run("SAVEPOINT request")
        try:
            yield
        except BaseException:
            self.head = head
            del self._rows[rows:], self.events[rows:], self._erased[erased:]
            if guarded:
                self._transaction.run("ROLLBACK TO request")
            raise
        finally:
            if guarded:
                self._transaction.run("RELEASE request")

    def claim(self, kind: str, key: str | None, owner: str) -> bool:
        """Make ``key`` the owner's one key of this kind; None gives it up. Return False if another owner holds it."""
        self._transaction.run(statements.GIVE_UP, (kind, owner))
        return key is None or bool(self._transaction.rows(statements.CLAIM, (kind, key, owner)))

    def allow(self, key: str, limit: int) -> None:
        """Set how often a key may be used."""
        self._transaction.run(statements.ALLOW, (key, limit))

    def count_uses(self, key: str, left: int) -> None:
        """Set how much is left of a key now, holds included: what was used before counts no more."""
        self._transaction.run(statements.COUNT_LEFT, (key, left))

    def add_uses(self, key: str, more: int) -> None:
        """Allow more uses of a key, or below 0 fewer."""
        self._transaction.run(statements.ALLOW_MORE, (key, more))

    def use(self, key: str, limited: bool = True) -> bool:
        """Count one use. Return False if ``limited`` and the limit is reached. A key without a limit may always be used."""
        for (left,) in self._transaction.rows(statements.USED, (key,)):
            if limited and not left:
                return False
            self._transaction.run(statements.USE, (key,))
        return True

    def give_back(self, key: str, number: int = 1) -> None:
        """Count uses less."""
        self._transaction.run(statements.GIVE_BACK, (number, key, number))

    def hold(self, key: str, holder: str, number: int, until: int, at: int) -> bool:
        """Count uses that a holder may confirm or release; False if they do not fit. What it held before is replaced.

        A key without a limit has no row, and nothing is held of it. If there is no room, holds that have lapsed ``at`` that
        instant are dropped first: no job has to run.
        """
        self.release(key, holder)
        if not self._take(key, number, at):
            return not self._transaction.rows(statements.USED, (key,))
        self._transaction.run(statements.HOLD, (key, holder, number, until))
        return True

    def confirm(self, key: str, holder: str, number: int, at: int) -> bool:
        """Turn a hold into uses, even if it has lapsed; if it is gone, take them anew. False if they do not fit any more."""
        for (held,) in self._transaction.rows(statements.DROP_HOLD, (key, holder)):
            if held == number:
                return True
            self.give_back(key, held)
        return self._take(key, number, at) or not self._transaction.rows(statements.USED, (key,))

    def release(self, key: str, holder: str) -> None:
        """Give back what a holder holds, if anything."""
        for (held,) in self._transaction.rows(statements.DROP_HOLD, (key, holder)):
            self.give_back(key, held)

    def _take(self, key: str, number: int, at: int) -> bool:
        """Count uses if they fit under the limit, dropping lapsed holds of the key only if they do not."""
        if self._transaction.rows(statements.TAKE, (number, key, number)):
            return True
        lapsed = sum(held for (held,) in self._transaction.rows(statements.DROP_LAPSED, (key, at)))
        if not lapsed:
            return False
        self.give_back(key, lapsed)
        return bool(self._transaction.rows(statements.TAKE, (number, key, number)))

    def limit_rows(self) -> LimitRows:
        """Return every limit with what is used and allowed, and every hold with its number and end."""
        limits = {(key, None): (used, allowed) for key, used, allowed in self._transaction.rows(statements.ALL_LIMITS)}
        holds = {(key, holder): (number, until) for key, holder, number, until in self._transaction.rows(statements.ALL_HOLDS)}
        return {**limits, **holds}

    def drop_limit_rows(self) -> None:
        """Remove all of these rows, to write them anew."""
        self._transaction.run(statements.DROP_LIMITS)
        self._transaction.run(statements.DROP_HOLDS)

    def schedule(self, due: Mapping[str, int | None]) -> None:
        """Record from when on each stream has something due; None if time alone changes nothing in it."""
        self._due.update(due)

    def indexed(self, name: str) -> None:
        """Record that an index covers the whole log."""
        self._transaction.run(statements.INDEXED, (name,))

    def flush(self) -> None:
        """Send everything that was added."""
        if self._rows:
            self._transaction.insert(statements.EVENTS, self._rows)
        for erased in self._erased:
            self._transaction.run(statements.ERASE, erased)
        for stream, instant in self._due.items():
            if instant is None:
                self._transaction.run(statements.NOT_DUE, (stream,))
            else:
                self._transaction.run(statements.DUE_FROM, (stream, instant))
        if self._outcomes:
            self._transaction.insert("outcomes", self._outcomes)


def outcome_from(row: tuple[Any, ...]) -> Outcome:
    request, accepted, *rest = row
    return Outcome(request, bool(accepted), *rest)
