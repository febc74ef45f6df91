"""One request being decided: its commands in order, each with what policies make of it, over one view of all streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from aggregates.decider import Decider, Refusal, stream_id
from aggregates.programme import Policies
from aggregates.programme.policy import policy
from aggregates.reactions import admit, react, under
from infra.codec import Codec
from streams.commands.validation import require_well_formed
from streams.registry import COMMANDS, DUE, REACTIONS

Stream: TypeAlias = tuple[int, Any]
"""A version and the state it stands for."""

Load: TypeAlias = Callable[[str, Decider[Any, Any, Any]], Stream]

S = TypeVar("S")


class Deciding:
    """``events``: what was decided, with stream and version, in order. ``streams``: what that makes of those it touched.

    ``erased``: members to whom nothing more happens, those erased by this very request included. ``batch``: the stream of this
    append's behaviour. ``due``: streams for which the instant has changed from which on something is due.
    ``first``: the policies of a shop that has published none.
    """

    def __init__(self, first: Policies, codec: Codec, erased: frozenset[str], load: Load, batch: str) -> None:
        self.events: list[tuple[str, int, object]] = []
        self.streams: dict[str, Stream] = {}
        self.due: dict[str, int | None] = {}
        self.erased = erased
        self._first = first
        self._codec = codec
        self._load = load
        self._batch = batch
        self._policies: Policies | None = None

    @property
    def policies(self) -> Policies:
        """What decisions go by, with what this very request has published; looked up once, for a basket is thirty commands."""
        if self._policies is None:
            version, published = self.streams.get(policy.name) or self._load(policy.name, policy)
            self._policies = published if version else self._first
        return self._policies

    def command(self, command: object, by_time: bool = False) -> None:
        """Decide a command of the request, a tick's if ``by_time``. Raises ``Refusal`` if it may not happen."""
        if type(command) in REACTIONS and not by_time:
            raise Refusal("reaction_only", f"{type(command).__name__} follows from what happened; nobody asks for it.")
        require_well_formed(command)
        policies = self.policies
        admit(command, policies, self.erased)
        self._decide(under(command, policies))

    def look(self, decider: Decider[Any, S, Any], *ids: str) -> S:
        """What an aggregate stands at, what this request has decided so far included."""
        stream = stream_id(decider.name, *ids)
        state: S = (self.streams.get(stream) or self._load(stream, decider))[1]
        return state

    def _decide(self, command: object) -> None:
        route = COMMANDS[type(command)]
        stream, decider = route.stream(command) or self._batch, route.decider
        version, state = self.streams.get(stream) or self._load(stream, decider)
        due = decider.due
        before = due(state) if due else None
        reactions: list[object] = []
        policies = self.policies
        for event in decider.decide(command, state):
            version += 1
            state = decider.evolve(state, event)
            self.events.append((stream, version, event))
            reactions += react(event, policies, self.erased)
            if type(event) in self._codec.erasing:
                self._erase(self._codec.partition_key(event))
        if due and (after := due(state)) != before:
            self.due[stream] = after
        self.streams[stream] = version, state
        if stream == policy.name:
            self._policies = None
        for reaction in reactions:
            self._decide(reaction)

    def _erase(self, member: str) -> None:
        """Nothing more happens to them, be it due or not."""
        self.erased |= {member}
        self.due.update(dict.fromkeys((stream_id(aggregate, member) for aggregate in DUE), None))
