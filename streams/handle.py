"""Handling requests: load the streams a command touches, decide, let policies react, append; all in one transaction.

A request is one or more commands that happen together or not at all. Its id makes it safe to ask again: the first outcome,
a refusal too, is stored with what was appended and is the answer for ever.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from aggregates.kernel import Decider, Refusal
from aggregates.policies import Allow, Claim, Guard, Use, admit, guards, react
from aggregates.programme import Programme
from infra.event_log.append import Append
from infra.event_log.group_commit import GROUP, GroupCommit
from infra.event_log.shapes import Outcome
from infra.event_log.sqlite import SqliteLog
from infra.keys import KeyRing
from streams.registry import COMMANDS

REMEMBERED = 20_000
"""Streams whose state is kept between requests."""

Known: TypeAlias = dict[str, tuple[int, Any]]


@dataclass(frozen=True)
class Request:
    id: str
    commands: tuple[object, ...]


class Handler:
    """The one writer of a process; safe to call from any thread."""

    def __init__(self, log: SqliteLog, keys: KeyRing, terms: Programme) -> None:
        self._log = log
        self._keys = keys
        self._terms = terms
        self._lock = threading.Lock()
        self._answering = threading.Lock()  # what is remembered is true between transactions only
        self._remembered: OrderedDict[str, tuple[int, Any]] = OrderedDict()
        self._group: GroupCommit[Request, Outcome] | None = None
        self._erased: frozenset[str] = frozenset()
        self._destroy_keys()

    def handle(self, request: Request) -> Outcome:
        """Answer one request, durably, sharing the disk's wait with whoever asks at the same time."""
        with self._lock:
            self._group = self._group or GroupCommit(self._answer)
        return self._group.ask(request).result()

    def handle_all(self, requests: Sequence[Request]) -> list[Outcome]:
        """Answer many requests in order, a group at a time; each group is durable before the next begins."""
        outcomes = []
        for at in range(0, len(requests), GROUP):
            for answer in self._answer(requests[at : at + GROUP]):
                if isinstance(answer, Exception):
                    raise answer
                outcomes.append(answer)
        return outcomes

    def close(self) -> None:
        if self._group:
            self._group.close()

    def _answer(self, requests: Sequence[Request]) -> list[Outcome | Exception]:
        with self._answering:
            return self._answer_alone(requests)

    def _answer_alone(self, requests: Sequence[Request]) -> list[Outcome | Exception]:
        known: Known = {}
        answers: list[Outcome | Exception] = []
        with self._log.append() as append:
            if self._log.changed_elsewhere():
                self._remembered.clear()
                self._erased = frozenset(self._log.erased())
            answered = append.outcomes([request.id for request in requests])
            self._load(append, [request for request in requests if request.id not in answered], known)
            for request in requests:
                answer = answered.get(request.id) or self._first_answer(append, request, known)
                if isinstance(answer, Outcome):
                    answered[request.id] = replace(answer, repeated=True)
                answers.append(answer)
        self._remember(known)
        if append.erases:
            self._destroy_keys()
        return answers

    def _destroy_keys(self) -> None:
        """Of members whose erasure is in the log; a kill before this leaves it to the next start."""
        for member in self._log.incomplete_erasures():
            self._keys.destroy(member)
        self._erased = frozenset(self._log.erased())

    def _first_answer(self, append: Append, request: Request, known: Known) -> Outcome | Exception:
        """Decide and append one request; a refusal or a fault of one leaves the others of its group alone."""
        touched: Known = {}
        try:
            events = self._decide(append, request, known, touched)
            needed = [guard for _, _, event in events for guard in guards(event)]
            with append.savepoint(guarded=bool(needed)):
                self._hold(append, needed)
                for stream, version, event in events:
                    append.add(stream, version, event)
            outcome = Outcome(request.id, True, "", "", len(events), append.head)
        except Refusal as refusal:
            outcome = Outcome(request.id, False, refusal.code, refusal.sentence, 0, append.head)
        except Exception as fault:  # noqa: BLE001 - it is the caller's answer, and no other request's
            return fault
        if outcome.accepted:
            known.update(touched)
        append.record(outcome)
        return outcome

    def _decide(self, append: Append, request: Request, known: Known, touched: Known) -> list[tuple[str, int, object]]:
        """What a request brings about, reactions included; later commands see the events of earlier ones."""
        decided: list[tuple[str, int, object]] = []
        waiting = deque(request.commands)
        for command in waiting:
            admit(command, self._terms, self._erased)
        while waiting:
            command = waiting.popleft()
            route = COMMANDS[type(command)]
            stream = route.stream(command)
            decider = route.decider
            version, state = touched.get(stream) or known.get(stream) or self._load_one(append, stream, decider)
            reactions: list[object] = []
            for event in decider.decide(command, state):
                version += 1
                state = decider.evolve(state, event)
                decided.append((stream, version, event))
                reactions += react(event, self._terms, self._erased)
            touched[stream] = version, state
            waiting.extendleft(reversed(reactions))
        return decided

    def _load(self, append: Append, requests: Sequence[Request], known: Known) -> None:
        """The streams of all these requests, in one read."""
        routes = (COMMANDS[type(command)] for request in requests for command in request.commands)
        commands = (command for request in requests for command in request.commands)
        deciders = {route.stream(command): route.decider for route, command in zip(routes, commands, strict=True)}
        absent = [stream for stream in deciders if stream not in self._remembered]
        for stream, (events, version) in append.read(absent).items():
            known[stream] = version, deciders[stream].rebuild(events)

    def _load_one(self, append: Append, stream: str, decider: Decider[Any, Any, Any]) -> tuple[int, Any]:
        remembered = self._remembered.get(stream)
        if remembered:
            self._remembered.move_to_end(stream)
            return remembered
        events, version = append.read([stream])[stream]
        return version, decider.rebuild(events)

    def _remember(self, known: Known) -> None:
        self._remembered.update(known)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _hold(self, append: Append, needed: Sequence[Guard]) -> None:
        for guard in needed:
            match guard:
                case Claim():
                    key = None if guard.key is None else self._keys.blind(guard.key)
                    if not append.claim(guard.kind, key, guard.owner):
                        raise guard.taken
                case Allow():
                    append.allow(guard.key, guard.limit)
                case Use():
                    if not append.use(guard.key, limited=guard.exhausted is not None) and guard.exhausted:
                        raise guard.exhausted
