"""The write side: load the streams that a command touches, decide, react, append; all in one transaction.

The commands of a request happen together or not at all. A request's id makes it safe to ask again: the first outcome is stored
with what was appended, and is the answer from then on. A refusal is stored too, unless the request says otherwise.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aggregates.behaviour import behaviour
from aggregates.constraints import constraints_of
from aggregates.decider import UNFIT, Context, Decider, Refusal, stream_id
from aggregates.programme import Policies
from aggregates.programme.policy import policy
from aggregates.session import sessions
from infra.errors import Unreachable, Unreadable
from infra.event_log.append import Append
from infra.event_log.group_commit import GroupCommit
from infra.event_log.log import EventLog
from infra.event_log.types import Outcome
from infra.keys.ring import KeyRing, session_key_name
from infra.postgres.connection import retry
from infra.remembered import Remembered
from streams.commands.constraints import enforce_all
from streams.commands.execution import Execution, Load, Stream, context_of
from streams.commands.preview import Erasures, Preview, preview
from streams.commands.request import Request, id_taken, refused, repeated
from streams.registry import COMMANDS

REMEMBERED = 20_000
"""Streams whose state is kept between requests."""

REMEMBERED_BYTES = 64 << 20
"""The size of those states together, as encoded."""


@dataclass
class Group:
    """The outcomes and streams of one append so far. ``batch``: the stream for its events of behaviour."""

    erased: frozenset[str]
    batch: str
    answered: dict[str, Outcome]
    streams: dict[str, Stream] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.streams[self.batch] = (0, None)


class Handler:
    """The one writer of a process; safe to call from any thread.

    ``first`` is the programme of a shop that has published none. ``forget`` is called with an erased member and their sessions,
    to remove their data outside the log.
    """

    def __init__(
        self, log: EventLog, keys: KeyRing, first: Policies, forget: Callable[[set[str]], None] = lambda _: None
    ) -> None:
        self._forget = forget
        self._log = log
        self._keys = keys
        self._first = first
        self._lock = threading.Lock()
        self._answering = threading.Lock()  # what is remembered is true between transactions only
        self._remembered: Remembered[Stream] = Remembered(REMEMBERED, REMEMBERED_BYTES)
        self._group: GroupCommit[Request, Outcome] | None = None
        self._erased = frozenset(log.erased())
        self._erasures = Erasures(log)
        self._without_keys: frozenset[str] = frozenset()  # erased members whose keys are certainly destroyed
        self._destroy_keys(self._erased)

    def handle(self, request: Request) -> Outcome:
        """Answer one request durably. Requests that arrive at the same time share one commit."""
        return self.submit(request).result()

    def submit(self, request: Request) -> Future[Outcome]:
        """Return the answer to come. Requests that arrive at the same time share one commit."""
        with self._lock:
            self._group = self._group or GroupCommit(self._answer)
        return self._group.ask(request)

    def handle_all(self, requests: Sequence[Request]) -> list[Outcome]:
        """Answer many requests in order, in one durable append. Raises the first fault; what was accepted stays."""
        outcomes = []
        for answer in self._answer(requests):
            if isinstance(answer, Exception):
                raise answer
            outcomes.append(answer)
        return outcomes

    def preview(self, request: Request) -> Preview:
        """Return what would be decided now, and write nothing."""
        return preview(self._log, self._keys, self._first, self._erasures.now(), request)

    def context(self) -> Context:
        """Return what decisions go by now."""
        published: Any
        published, version = self._log.read(policy.name)
        return context_of(policy.rebuild(published), version, self._first)

    def close(self) -> None:
        if self._group:
            self._group.close()

    def _answer(self, requests: Sequence[Request]) -> list[Outcome | Exception]:
        """Answer requests in one append. A lost append is decided again; if it was committed, the first answers come back.

        Raises :class:`Unreachable` if the log does not come back.
        """
        with self._answering:
            answers = retry(lambda: self._append(requests))
            self._destroy_keys(self._erased)
            return answers

    def _append(self, requests: Sequence[Request]) -> list[Outcome | Exception]:
        """Answer requests in one transaction, and remember the streams as they are after it."""
        with self._log.append() as append, self._keys.together():
            if self._log.changed_elsewhere():
                self._remembered.clear()
                self._erased = frozenset(self._log.erased())
            answered = append.outcomes([request.id for request in requests])
            group = Group(self._erased, stream_id(behaviour.name, str(append.head + 1)), answered)
            self._prefetch(append, group, [request for request in requests if request.id not in answered])
            answers = [self._answer_one(append, group, request) for request in requests]
        del group.streams[group.batch]
        self._remember(group.streams)
        self._erased = group.erased
        return answers

    def _answer_one(self, append: Append, group: Group, request: Request) -> Outcome | Exception:
        """Answer one request: this is the whole way of a command. A refusal or a fault leaves the rest of the group alone."""
        if earlier := group.answered.get(request.id):
            if request.is_repetition_of(earlier):
                return repeated(earlier)
            if earlier.accepted:
                return id_taken(earlier)
            append.forget(request.id)  # it was refused, and is asked again in other words
        work = Execution(self._first, self._log.codec, group.erased, self._loader(append, group), group.batch)
        try:
            work.carry_out(request)
            constraints = [constraints_of(event) for _, _, event in work.events]
            with append.savepoint(guarded=any(constraints)):
                enforce_all(append, self._keys, work, constraints)
                for stream, version, event in work.events:
                    append.add(stream, version, event)
            append.schedule(work.due)
            outcome = Outcome(request.id, True, "", "", len(work.events), append.head, request.digest)
            group.streams.update(work.streams)
            group.erased = work.erased
        except Refusal as refusal:
            outcome = refused(request, refusal, append.head)
            if not request.settled:
                return outcome
        except Unreachable:
            raise  # the whole append is lost, not this request
        except Exception as fault:  # noqa: BLE001 - it is the answer to this caller, and to no other
            return fault
        append.record(outcome)
        group.answered[request.id] = outcome
        return outcome

    def _loader(self, append: Append, group: Group) -> Load:
        def load(stream: str, decider: Decider[Any, Any, Any]) -> Stream:
            found = group.streams.get(stream) or self._remembered.get(stream)
            if found is None:
                found = group.streams[stream] = rebuilt(append, stream, decider)
            return found

        return load

    def _prefetch(self, append: Append, group: Group, requests: Sequence[Request]) -> None:
        """Read the streams of all these requests at once. What cannot be read fails later, where it is needed."""
        deciders: dict[str, Decider[Any, Any, Any]] = {policy.name: policy}
        for request in requests:
            deciders.update(request.reads)
            for command in request.known:
                if found := stream_of(command):
                    deciders[found[0]] = found[1]
        with suppress(Unreadable):
            for stream, (events, version) in append.read([s for s in deciders if s not in self._remembered]).items():
                group.streams[stream] = version, deciders[stream].rebuild(events)

    def _destroy_keys(self, erased: frozenset[str]) -> None:
        """Destroy the keys of members whose erasure is in the log. A kill before this leaves it to the next start."""
        if erased == self._without_keys:
            return
        for member in self._log.incomplete_erasures():
            self._keys.destroy(member)
            events, _ = self._log.read(stream_id(sessions.name, member))
            joined = sessions.rebuild(events)  # type: ignore[arg-type]
            for session in joined:
                self._keys.destroy(session_key_name(session))
            self._forget({member, *joined})
        self._without_keys = erased

    def _remember(self, streams: dict[str, Stream]) -> None:
        for stream, state in streams.items():
            self._remembered.put(stream, state)
        self._remembered.shrink()


def stream_of(command: object) -> tuple[str, Decider[Any, Any, Any]] | None:
    """Return the stream and decider of a command; None if the command will be refused before anything is read."""
    if not (route := COMMANDS.get(type(command))):
        return None
    try:
        stream = route.stream(command)
    except (AttributeError, TypeError, ValueError):  # its id is no text
        return None
    return (stream, route.decider) if stream and not UNFIT.search(stream) else None


def rebuilt(append: Append, stream: str, decider: Decider[Any, Any, Any]) -> Stream:
    events, version = append.read([stream])[stream]
    return version, decider.rebuild(events)
