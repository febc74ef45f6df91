"""What one append may do: look up earlier outcomes, read streams, take guarded rows, add events over several streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from eventsourcing.sqlite import SQLiteCursor

from infra.codec import Codec
from infra.event_log.schema import EVENTS
from infra.event_log.shapes import Outcome

INSERT = f"INSERT INTO {EVENTS} VALUES (?,?,?,?,?)"
RECORD = "INSERT INTO outcomes VALUES (?,?,?,?,?,?,?)"

READ_STREAMS = f"""
    SELECT originator_id, topic, state FROM {EVENTS}
    WHERE originator_id IN ({{marks}}) ORDER BY originator_id, originator_version"""
MOST_VALUES = 500  # in one statement


class Append:
    """The writer's lock is held, so what is read here stays true until the commit. Rows are sent together at the end."""

    def __init__(self, cursor: SQLiteCursor, codec: Codec, head: int) -> None:
        self.head = head
        self.erases = False  # whether a member's key is to be destroyed once this is committed
        self._cursor = cursor
        self._codec = codec
        self.events: list[object] = []  # those added, in order
        self._rows: list[tuple[int, str, int, str, bytes]] = []
        self._outcomes: list[tuple[str, bool, str, str, int, int, bytes | None]] = []

    def outcomes(self, requests: Sequence[str]) -> dict[str, Outcome]:
        """Those of these requests that were answered before, each with its first answer."""
        found: dict[str, Outcome] = {}
        for at in range(0, len(requests), MOST_VALUES):
            part = requests[at : at + MOST_VALUES]
            self._cursor.execute(f"SELECT * FROM outcomes WHERE request IN ({','.join('?' * len(part))})", part)
            for request, accepted, code, sentence, events, position, content in self._cursor.fetchall():
                told = (request, bool(accepted), code, sentence, events, position, content)
                found[request] = Outcome(*told, repeated=True)
        return found

    def read(self, streams: Sequence[str]) -> dict[str, tuple[list[object], int]]:
        """The stored events of each stream, and its version; those added in this very append are not among them."""
        events: dict[str, list[object]] = {stream: [] for stream in streams}
        for at in range(0, len(streams), MOST_VALUES):
            part = streams[at : at + MOST_VALUES]
            self._cursor.execute(READ_STREAMS.format(marks=",".join("?" * len(part))), part)
            for stream, name, state in self._cursor.fetchall():
                events[stream].append(self._codec.decode(name, state))
        return {stream: (found, len(found)) for stream, found in events.items()}

    def add(self, stream: str, version: int, event: object) -> None:
        self._rows.append((self.head + 1, stream, version, *self._codec.encode(event)))
        self.head += 1
        self.events.append(event)
        if type(event) in self._codec.erasing:
            erased = (self._codec.partition_key(event), self.head)
            self._cursor.execute("INSERT INTO erasures VALUES (?, ?, 0) ON CONFLICT DO NOTHING", erased)
            self.erases = True

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

    @contextmanager
    def savepoint(self, guarded: bool) -> Iterator[None]:
        """Events added inside, and the guarded rows that are taken if ``guarded``, are given back if it fails."""
        head, rows = self.head, len(self._rows)
        if guarded:
            self._cursor.execute("SAVEPOINT request")
        try:
            yield
        except BaseException:
            self.head = head
            del self._rows[rows:], self.events[rows:]
            if guarded:
                self._cursor.execute("ROLLBACK TO request")
            raise
        finally:
            if guarded:
                self._cursor.execute("RELEASE request")

    def claim(self, kind: str, key: str | None, owner: str) -> bool:
        """Make ``key`` the owner's one key of its kind (None: give it up); False if another holds it."""
        self._cursor.execute("DELETE FROM claims WHERE kind = ? AND owner = ?", (kind, owner))
        if key is None:
            return True
        self._cursor.execute("INSERT INTO claims VALUES (?,?,?) ON CONFLICT DO NOTHING RETURNING owner", (kind, key, owner))
        return self._cursor.fetchone() is not None

    def allow(self, key: str, limit: int) -> None:
        self._cursor.execute(
            "INSERT INTO limits VALUES (?, 0, ?) ON CONFLICT (key) DO UPDATE SET allowed = excluded.allowed", (key, limit)
        )

    def use(self, key: str, limited: bool = True) -> bool:
        """Count one use; False if its limit is reached and holds. A key without a limit may always be used."""
        self._cursor.execute("SELECT used < allowed FROM limits WHERE key = ?", (key,))
        row = self._cursor.fetchone()
        if row is None:
            return True
        if limited and not row[0]:
            return False
        self._cursor.execute("UPDATE limits SET used = used + 1 WHERE key = ?", (key,))
        return True

    def flush(self) -> None:
        if self._rows:
            self._cursor.executemany(INSERT, self._rows)
        if self._outcomes:
            self._cursor.executemany(RECORD, self._outcomes)
