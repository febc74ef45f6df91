"""The work on one request: the streams it has read, the events decided so far, and what they make of those streams."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple, TypeAlias, TypeVar

from aggregates.cart_events import CartCodeEntered, CartItemAdded, CartItemRestored, CartItemSavedForLater, CartOpened
from aggregates.decider import Context, Decider, stream_id
from aggregates.member import member
from aggregates.programme import Policies
from aggregates.programme.policy import policy
from aggregates.reactions import MEMBER_CLOSED, check_allowed, react, users_of
from infra.codec import Codec
from streams.commands.request import Request
from streams.commands.validation import require_valid
from streams.registry import BY_TIME, COMMANDS, DUE_OF_MEMBERS

Stream: TypeAlias = tuple[int, Any]
"""The version of a stream and the state at that version."""

Load: TypeAlias = Callable[[str, Decider[Any, Any, Any]], Stream]

S = TypeVar("S")

BY_USE_OF_A_CART = (CartOpened, CartItemAdded, CartItemSavedForLater, CartItemRestored, CartCodeEntered)
"""Events of a cart that a member who has closed does not bring about; whose cart it is shows only in the event."""


class Loaded(NamedTuple):
    """A stream as it stands when a command is decided on it."""

    stream: str
    decider: Decider[Any, Any, Any]
    version: int
    state: Any


def context_of(published: Policies, version: int, first: Policies) -> Context:
    """Return what decisions go by. ``version``: that of the policy's stream, 0 if the shop has published none."""
    return Context(published.counted_as(first) if version else first)


class Execution:
    """One request being decided. Commands see the events that the same request decided before them.

    ``events`` are those decided, with stream and version, in order. ``streams`` is the state that they make of each stream.
    ``erased`` are the members who were erased, also by this request: commands about them are refused. ``due`` maps the streams
    whose next due instant has changed to that instant. ``first`` is the programme of a shop that has published none, and
    ``batch`` the stream for behaviour of this append.
    """

    def __init__(self, first: Policies, codec: Codec, erased: frozenset[str], load: Load, batch: str) -> None:
        self.events: list[tuple[str, int, object]] = []
        self.streams: dict[str, Stream] = {}
        self.due: dict[str, int | None] = {}
        self.erased = erased
        self._before: dict[str, tuple[Decider[Any, Any, Any], Any]] = {}
        self._first = first
        self._codec = codec
        self._load = load
        self._batch = batch
        self._context: Context | None = None

    @property
    def context(self) -> Context:
        """The programme that decisions use, with any version that this request has published. Looked up once a request."""
        if self._context is None:
            version, published = self._stream(policy.name, policy)
            self._context = context_of(published, version, self._first)
        return self._context

    def read(self, decider: Decider[Any, S, Any], *ids: str) -> S:
        """Return the state of an aggregate, with what this request has decided so far."""
        state: S = self._stream(stream_id(decider.name, *ids), decider)[1]
        return state

    def carry_out(self, request: Request) -> None:
        """Decide the commands of a request, each with what follows from it. Raises ``Refusal`` if one may not happen."""
        for command in request.plan(self.read):
            self.check(command, request.by_time)
            waiting = deque([command])
            while waiting:
                loaded = self.load(waiting[0])
                events = self.decide(waiting.popleft(), loaded)
                waiting.extendleft(reversed(self.react(events)))  # before what was waiting already

    def check(self, command: object, by_time: bool) -> None:
        """Raise ``Refusal`` for a command that is malformed, about a member who was erased, or of one who has closed."""
        require_valid(command, by_time)
        check_allowed(command, self.context, self.erased)
        if self._is_of_closed(command):
            raise MEMBER_CLOSED

    def load(self, command: object) -> Loaded:
        """Return the stream that a command is decided on."""
        route = COMMANDS[type(command)]
        stream = route.stream(command) or self._batch
        return Loaded(stream, route.decider, *self._stream(stream, route.decider))

    def decide(self, command: object, loaded: Loaded) -> list[object]:
        """Decide a command and take note of its events. Raises ``Refusal`` if it may not happen."""
        stream, decider, version, state = loaded
        self._before.setdefault(stream, (decider, state))
        before = decider.due(state, self.context) if decider.due else None
        events = decider.decide(command, state, self.context)
        for event in events:
            if isinstance(event, BY_USE_OF_A_CART) and self._is_of_closed(event):
                raise MEMBER_CLOSED
            version += 1
            state = decider.evolve(state, event)
            self.events.append((stream, version, event))
        self.streams[stream] = version, state
        if decider.due and ((after := decider.due(state, self.context)) != before or type(command) in BY_TIME):
            self.due[stream] = after
        if decider is policy:
            self._context = None
        return events

    def correct(self, facts: Sequence[object]) -> None:
        """Take these events in place of those decided: a limit may have flagged some. States follow."""
        changed = {stream for (stream, _, event), fact in zip(self.events, facts, strict=True) if fact is not event}
        self.events = [(*where, fact) for (*where, _), fact in zip(self.events, facts, strict=True)]  # type: ignore[misc]
        for stream in changed:
            decider, state = self._before[stream]
            mine = [event for where, _, event in self.events if where == stream]
            self.streams[stream] = self.streams[stream][0], reduce(decider.evolve, mine, state)

    def react(self, events: Iterable[object]) -> list[object]:
        """Return the commands that follow from these events.

        Nothing more happens to a member who is erased by one, and a member who has closed earns nothing.
        """
        reactions: list[object] = []
        for event in events:
            follows = react(event, self.context, self.erased, self.read)
            reactions += [command for command in follows if not self._is_of_closed(command)]
            if type(event) in self._codec.erasing:
                self._erase(self._codec.partition_key(event))
        return reactions

    def _is_of_closed(self, step: object) -> bool:
        """Return whether a command or an event lets somebody earn or spend whose membership is closed."""
        return any(name is not None and self.read(member, name).status == "closed" for name in users_of(step))

    def _stream(self, stream: str, decider: Decider[Any, Any, Any]) -> Stream:
        return self.streams.get(stream) or self._load(stream, decider)

    def _erase(self, name: str) -> None:
        self.erased |= {name}
        self.due.update(dict.fromkeys((stream_id(aggregate, name) for aggregate in DUE_OF_MEMBERS), None))
