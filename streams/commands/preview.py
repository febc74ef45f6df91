"""A dry run: what a request would come to now, decided in a transaction that is undone.

It goes the way of a command, with the constraints across streams, and holds the writer's lock as shortly. What only storing
finds out is not seen: keys that are lost, and an event that is too large.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from aggregates.behaviour import behaviour
from aggregates.constraints import constraints_of
from aggregates.decider import Decider, Refusal, stream_id
from aggregates.programme import Policies
from infra.event_log.append import Append
from infra.event_log.log import EventLog
from infra.event_log.types import Outcome
from infra.keys.ring import KeyRing
from infra.postgres.connection import retry
from streams.commands.constraints import enforce_all
from streams.commands.execution import Execution, Stream
from streams.commands.request import Request, refused


class Preview(NamedTuple):
    """``events``: with the stream of each. ``policy``: the version in force at the first command's instant."""

    outcome: Outcome
    events: tuple[tuple[str, object], ...]
    policy: int


class _Undo(Exception):  # noqa: N818 - it ends a transaction
    """Undoes the transaction that it leaves."""


class Erasures:
    """Who was erased: what was read once is kept, and only later erasures are read. Safe to call from any thread."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._known: tuple[int, frozenset[str]] = 0, frozenset()

    def now(self) -> frozenset[str]:
        position, members = self._known
        if found := self._log.erased(after=position):
            members = members | found.keys()
            self._known = max(found.values()), members
        return members


def preview(log: EventLog, keys: KeyRing, first: Policies, erased: frozenset[str], request: Request) -> Preview:
    """Return what would be decided now, and write nothing. ``erased``: members of whom nothing is decided.

    Raises :class:`Unreachable` if the log does not answer.
    """
    return retry(lambda: _preview(log, keys, first, erased, request))


def _preview(log: EventLog, keys: KeyRing, first: Policies, erased: frozenset[str], request: Request) -> Preview:
    decided: list[Preview] = []
    try:
        with log.append() as append:
            decided.append(_decided(append, log, keys, first, erased, request))
            raise _Undo
    except _Undo:
        return decided[0]


def _decided(
    append: Append, log: EventLog, keys: KeyRing, first: Policies, erased: frozenset[str], request: Request
) -> Preview:
    def load(stream: str, decider: Decider[Any, Any, Any]) -> Stream:
        events, version = append.read([stream])[stream]
        return version, decider.rebuild(events)

    batch = stream_id(behaviour.name, str(append.head + 1))
    work = Execution(first, log.codec, erased, lambda s, d: (0, None) if s == batch else load(s, d), batch)
    events: tuple[tuple[str, object], ...] = ()
    try:
        work.carry_out(request)
        enforce_all(append, keys, work, [constraints_of(event) for _, _, event in work.events])
        events = tuple((stream, event) for stream, _, event in work.events)
        outcome = Outcome(request.id, True, "", "", len(events), append.head, request.digest)
    except Refusal as refusal:
        outcome = refused(request, refusal, append.head)
    at = getattr(request.known[0], "at", None) if request.known else None
    policies = work.context.policies
    return Preview(outcome, events, (policies.at(at) if isinstance(at, int) else policies.newest).version)
