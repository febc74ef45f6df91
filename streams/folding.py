"""The folds that one source feeds, and how far each has come in it: a chunk in, what each fold writes out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

import redis

from aggregates.delta import Delta
from aggregates.kernel import Recorded
from infra.faults import Fault
from infra.places import LOG, Place
from infra.views import Step, Views
from streams.feeds import Feed

POSITION = attrgetter("position")


class Unfoldable(Fault):
    """A fold failed over an event or a chunk of them: a fault of the fold, or of an event that should not be."""

    def __init__(self, fold: str, first: int, last: int, cause: Exception) -> None:
        at = f"event #{first}" if first == last else f"events #{first} to #{last}"
        super().__init__(f"The fold {fold} failed over {at}: {cause!r}. Nothing of it is in Redis.")
        self.fold = fold


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


class Folding:
    """What it believes of Redis holds until Redis says otherwise; then :meth:`forget`, and it asks again."""

    def __init__(self, views: Views, feeds: Iterable[Feed], source: str = LOG) -> None:
        self._views = views
        self._feeds = list(feeds)
        self._places: dict[str, Place] | None = None
        self.source = source

    @property
    def places(self) -> dict[str, Place]:
        """How far each fold has come."""
        if self._places is None:
            self._places = self._views.places([feed.name for feed in self._feeds], self.source)
        return self._places

    @property
    def believed(self) -> dict[str, Place] | None:
        """The places it would name without asking; None if it would ask."""
        return self._places and dict(self._places)

    def verify(self) -> bool:
        """Ask Redis; if it says other than believed, forget the rest too, and tell so."""
        before = self._places
        self._places = None
        if before is None or before == self.places:
            return False
        found = self.places
        self.forget()
        self._places = found
        return True

    def steps(self, chunk: Sequence[Recorded], there: Place, without: Collection[str] = ()) -> list[Step]:
        """What each fold writes of a chunk that ends ``there``; one that has it all has no step.

        ``without``: folds that only move on. Raises :class:`Unfoldable`; then all that the folds hold is to be forgotten.
        """
        places, some = self.places, Chunk.of(chunk)
        return [self._step(feed, some, there, feed.name in without) for feed in self._feeds if not places[feed.name].has(there)]

    def moved(self, steps: Iterable[Step]) -> None:
        """These steps are in Redis, or on their way."""
        self.places.update((step.fold, step.after) for step in steps)

    def forget(self) -> None:
        self._places = None
        for feed in self._feeds:
            feed.forget()

    def _step(self, feed: Feed, chunk: Chunk, there: Place, spared: bool) -> Step:
        before = self.places[feed.name]
        mine = [] if spared else chunk.new(feed.events, before.position)
        try:
            delta = feed.fold(mine) if mine else Delta()
        except redis.RedisError:  # no fault of the events: they are folded when Redis is back
            raise
        except Exception as fault:
            raise Unfoldable(feed.name, mine[0].position, mine[-1].position, fault) from fault
        return Step(feed.name, before, before.reaching(there), delta, self.source)
