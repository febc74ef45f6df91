"""Handling requests: load the streams a command touches, decide, let policies react, append; all in one transaction.

A request's commands happen together or not at all. Its id makes it safe to ask again: the first outcome, a refusal too unless
the request says otherwise, is stored with what was appended and is the answer for ever.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aggregates.behaviour import behaviour
from aggregates.constraints import guards
from aggregates.decider import UNFIT, Decider, Refusal, stream_id
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
from streams.commands.constraints import hold
from streams.commands.execution import Deciding, Stream
from streams.commands.request import Request
from streams.registry import COMMANDS

REMEMBERED = 20_000
"""Streams whose state is kept between requests."""


@dataclass
class Group:
    """What the requests of one append have brought about so far. ``batch``: the stream of its behaviour."""

    erased: frozenset[str]
    batch: str
    streams: dict[str, Stream] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.streams[self.batch] = (0, None)


class Handler:
    """The one writer of a process; safe to call from any thread. ``first``: the policies of a shop that has published none."""

    def __init__(self, log: EventLog, keys: KeyRing, first: Policies) -> None:
        self._log = log
        self._keys = keys
        self._first = first
        self._lock = threading.Lock()
        self._answering = threading.Lock()  # what is remembered is true between transactions only
        self._remembered: OrderedDict[str, Stream] = OrderedDict()
        self._group: GroupCommit[Request, Outcome] | None = None
        self._erased = frozenset(log.erased())
        self._erases = False  # whether there may be keys to destroy
        self._destroy_keys()

    def handle(self, request: Request) -> Outcome:
        """Answer one request, durably, sharing the disk's wait with whoever asks at the same time."""
        return self.submit(request).result()

    def submit(self, request: Request) -> Future[Outcome]:
        """Return the answer to come of one request; it is decided with all that are asked at the same time."""
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

    def close(self) -> None:
        if self._group:
            self._group.close()

    def _answer(self, requests: Sequence[Request]) -> list[Outcome | Exception]:
        """A lost append is decided again: if it was committed after all, its requests are answered as they were then.

        Raises :class:`Unreachable` if the log does not come back.
        """
        with self._answering:
            answers = retry(lambda: self._answer_alone(requests))
            if self._erases:
                self._destroy_keys()
                self._erases = False
            return answers

    def _answer_alone(self, requests: Sequence[Request]) -> list[Outcome | Exception]:
        answers: list[Outcome | Exception] = []
        erases, self._erases = self._erases, True  # unless we come to hear what came of it
        with self._log.append() as append, self._keys.together():
            group = Group(self._erased, batch=stream_id(behaviour.name, str(append.head + 1)))
            if self._log.changed_elsewhere():
                self._remembered.clear()
                group.erased = frozenset(self._log.erased())
            answered = append.outcomes([request.id for request in requests])
            self._prefetch(append, group, [request for request in requests if request.id not in answered])
            for request in requests:
                if earlier := answered.get(request.id):
                    answers.append(request.again(earlier))
                    continue
                answer = self._first_answer(append, group, request)
                if isinstance(answer, Outcome) and (answer.accepted or request.settled):
                    answered[request.id] = answer
                answers.append(answer)
        del group.streams[group.batch]
        self._remember(group.streams)
        self._erased = group.erased
        self._erases = erases or append.erases
        return answers

    def _first_answer(self, append: Append, group: Group, request: Request) -> Outcome | Exception:
        """Decide and append one request; a refusal or a fault of one leaves the others of its group alone."""

        def load(stream: str, decider: Decider[Any, Any, Any]) -> Stream:
            found = group.streams.get(stream) or self._remembered.get(stream)
            if found is None:
                found = group.streams[stream] = rebuilt(append, stream, decider)
            return found

        deciding = Deciding(self._first, self._log.codec, group.erased, load, group.batch)
        try:
            for command in request.plan(deciding.look):
                deciding.command(command, request.by_time)
            needed = [guard for _, _, event in deciding.events for guard in guards(event)]
            with append.savepoint(guarded=bool(needed)):
                hold(append, self._keys, needed)
                for stream, version, event in deciding.events:
                    append.add(stream, version, event)
            append.schedule(deciding.due)
            outcome = Outcome(request.id, True, "", "", len(deciding.events), append.head, request.content)
            group.streams.update(deciding.streams)
            group.erased = deciding.erased
        except Refusal as refusal:
            sentence = UNFIT.sub("\N{REPLACEMENT CHARACTER}", refusal.sentence)  # it may cite what was asked
            outcome = Outcome(request.id, False, refusal.code, sentence, 0, append.head, request.content)
            if not request.settled:
                return outcome
        except Unreachable:
            raise  # the whole append is lost, not this request
        except Exception as fault:  # noqa: BLE001 - it is the caller's answer, and no other request's
            return fault
        append.record(outcome)
        return outcome

    def _prefetch(self, append: Append, group: Group, requests: Sequence[Request]) -> None:
        """The streams of all these requests, in one read; what cannot be read is met again where it is needed."""
        deciders: dict[str, Decider[Any, Any, Any]] = {policy.name: policy}
        for request in requests:
            deciders.update(request.reads)
            for command in request.known:
                if found := stream_of(command):
                    deciders[found[0]] = found[1]
        with suppress(Unreadable):
            for stream, (events, version) in append.read([s for s in deciders if s not in self._remembered]).items():
                group.streams[stream] = version, deciders[stream].rebuild(events)

    def _destroy_keys(self) -> None:
        """Of members whose erasure is in the log; a kill before this leaves it to the next start."""
        for member in self._log.incomplete_erasures():
            self._keys.destroy(member)
            events, _ = self._log.read(stream_id(sessions.name, member))
            for session in sessions.rebuild(events):  # type: ignore[arg-type]
                self._keys.destroy(session_key_name(session))

    def _remember(self, streams: dict[str, Stream]) -> None:
        for stream, state in streams.items():
            self._remembered[stream] = state
            self._remembered.move_to_end(stream)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)


def stream_of(command: object) -> tuple[str, Decider[Any, Any, Any]] | None:
    """Where a command is decided; None for one that is refused before anything is read."""
    if not (route := COMMANDS.get(type(command))):
        return None
    try:
        stream = route.stream(command)
    except (AttributeError, TypeError, ValueError):  # it is named by what is no name
        return None
    return (stream, route.decider) if stream and not UNFIT.search(stream) else None


def rebuilt(append: Append, stream: str, decider: Decider[Any, Any, Any]) -> Stream:
    events, version = append.read([stream])[stream]
    return version, decider.rebuild(events)
