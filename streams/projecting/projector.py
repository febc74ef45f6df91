"""The folds that one source feeds, and how far each has come in it: a chunk in, what each fold writes out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple, TypeGuard

import redis

from aggregates.decider import Recorded
from aggregates.delta import Delta
from infra.errors import Fault, Superseded
from infra.redis.asking import Answer, Asking, together
from infra.redis.checkpoints import LOG, Checkpoint, checkpoint_key, lacking
from infra.redis.commit import CheckpointedWrite
from infra.redis.views import Views
from streams.projecting.loaders import Loader

POSITION = attrgetter("position")

NOWHERE = Checkpoint(-1)
"""No fold is ever here, so that a step from here is never made."""


class ProjectionFailed(Fault):
    """A fold failed over an event or a chunk of them: a fault of the fold, or of an event that should not be."""

    def __init__(self, fold: str, first: int, last: int, cause: Exception) -> None:
        at = f"event #{first}" if first == last else f"events #{first} to #{last}"
        super().__init__(f"The fold {fold} failed over {at}: {cause!r}. Nothing of it is in Redis.")
        self.fold = fold


class UnreadableEvent(NamedTuple):
    """An event that cannot be read, at an offset of a topic: its position, and the name it was stored by."""

    offset: int
    position: int
    name: str

    def new_to(self, place: Checkpoint, topic: str) -> bool:
        """Whether a fold has not come past it yet."""
        return self.position > place.position and not (topic == place.topic and self.offset <= place.offset)


class Chunk(NamedTuple):
    """``kinds``: the types of its events. ``first``: the least of its positions."""

    events: Sequence[Recorded]
    kinds: frozenset[type]
    first: int

    @classmethod
    def of(cls, events: Sequence[Recorded]) -> Chunk:
        return cls(events, frozenset(type(event) for _, event in events), min(map(POSITION, events), default=0))

    def new(self, kinds: frozenset[type], position: int) -> Sequence[Recorded]:
        """The events of these types behind a position; mostly it is all of them, or none."""
        if self.kinds.isdisjoint(kinds):
            return ()
        if self.first <= position:
            return [r for r in self.events if type(r.event) in kinds and r.position > position]
        return self.events if self.kinds <= kinds else [r for r in self.events if type(r.event) in kinds]


class Projector:
    """What it believes of Redis holds until Redis says otherwise; then :meth:`forget`, and it asks again."""

    def __init__(self, views: Views, feeds: Iterable[Loader], source: str = LOG) -> None:
        self._views = views
        self._feeds = list(feeds)
        self._places: dict[str, Checkpoint] | None = None
        self._left: dict[str, Checkpoint] = {}  # where folds were before their last step, which may be on its way
        self.source = source

    @property
    def places(self) -> dict[str, Checkpoint]:
        """How far each fold has come."""
        if self._places is None:
            self._places = self._ask()
        return self._places

    def verify(self) -> bool:
        """Ask Redis; if it says other than believed, forget the rest too. Without an answer, nothing changes.

        Whether it stands before what was believed: it was restored, or failed over.
        """
        believed, found = self._places, self._ask()
        if believed != found:
            self.forget()
        self._places = found
        return self._lacking(believed or {}) is not None

    def ask_again(self) -> None:
        """Forget all, and go by what Redis says.

        Raises :class:`Superseded` if that is before what was believed: between that and what comes next, something is lacking.
        """
        believed = self._places or {}
        self.forget()
        if fold := self._lacking(believed):
            raise Superseded(fold, self.source, str(self.places[fold]), str(believed[fold]))

    def steps(
        self,
        chunk: Sequence[Recorded],
        there: Checkpoint,
        without: Collection[str] = (),
        unread: Sequence[UnreadableEvent] = (),
    ) -> Asking[list[CheckpointedWrite]]:
        """What each fold writes of a chunk that ends ``there``; one that has it all has no step.

        ``without``: folds that only move on; what these lack then, and what they do of ``unread``, is written in the same step.
        Raises :class:`ProjectionFailed`; then all that the folds hold is to be forgotten.
        """
        some = Chunk.of(chunk)
        behind = [feed for feed in self._feeds if not self.places[feed.name].has(there)]
        outcomes = yield from together([self._step(feed, some, there, feed.name in without, unread) for feed in behind])
        return [step for step in outcomes if is_step(step)]

    def moved(self, steps: Iterable[CheckpointedWrite]) -> None:
        """These steps are in Redis, or on their way."""
        for step in steps:
            self._left[step.fold], self.places[step.fold] = step.before, step.after

    def forget(self) -> None:
        self._places = None
        self._left.clear()
        for feed in self._feeds:
            feed.forget()

    def _lacking(self, believed: Mapping[str, Checkpoint]) -> str | None:
        """A fold that stands before where it was believed to, if one does."""
        return next((fold for fold, place in believed.items() if self.places[fold].before(place)), None)

    def _ask(self) -> dict[str, Checkpoint]:
        return self._views.places([feed.name for feed in self._feeds], self.source)

    def _step(
        self, feed: Loader, chunk: Chunk, there: Checkpoint, spared: bool, unread: Sequence[UnreadableEvent]
    ) -> Asking[CheckpointedWrite]:
        before = self.places[feed.name]
        after = before.reaching(there)
        mine = chunk.new(feed.events, before.position)
        try:
            delta = (yield from self._reading(feed, mine, before)) if mine and not spared else Delta()
        except redis.RedisError:  # no fault of the events: they are folded when Redis is back
            raise
        except Superseded as elsewhere:
            if elsewhere.held != str(after):
                raise
            feed.forget()  # it has not got what it asked for
            return CheckpointedWrite(
                feed.name, NOWHERE, after, Delta(), self.source
            )  # somebody else made it, which is found again
        except Exception as fault:
            raise ProjectionFailed(feed.name, mine[0].position, mine[-1].position, fault) from fault
        lacked = [recorded.position for recorded in mine] if spared else []
        if unread:
            names = {event.__name__ for event in feed.events}
            lacked += [u.position for u in unread if u.name.partition(".")[0] in names and u.new_to(before, there.topic)]
        delta.documents.update((checkpoint_key(feed.name, lacking(position)), position) for position in lacked)
        return CheckpointedWrite(feed.name, before, after, delta, self.source)

    def _reading(self, feed: Loader, events: Sequence[Recorded], place: Checkpoint) -> Asking[Delta]:
        """Fold, believing what is read only if Redis stood where the fold is, before the reading and after it.

        That the step begins there would be too little: another writer may have moved on, and Redis be set back after the
        reading, to that very place.
        """
        folding, here = feed.fold(events), (feed.name, self.source)
        believed = {place, self._left.get(feed.name, place)}
        answer: Answer | None = None
        while True:
            try:
                ask = folding.send(answer) if answer else next(folding)
            except StopIteration as end:
                delta: Delta = end.value
                return delta
            answer = yield ask._replace(checkpoints=(here,))
            if not believed.issuperset(answer.stood[here]):
                raise Superseded(*here, str(answer.stood[here][-1]), str(place))


def is_step(outcome: CheckpointedWrite | Exception) -> TypeGuard[CheckpointedWrite]:
    """Raises what it is instead."""
    if isinstance(outcome, Exception):
        raise outcome
    return True
