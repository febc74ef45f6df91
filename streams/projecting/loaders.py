"""What a fold needs to be fed: its documents or its state brought before, what it holds forgotten when it lost its place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from aggregates.decider import Recorded
from aggregates.delta import Delta
from infra.redis.asking import Ask, Asking
from infra.redis.views import Views
from models.learner import Learner
from projections.projection import Documents, Tally

REMEMBERED = 20_000
"""Documents of a fold kept between chunks."""

Fold: TypeAlias = Documents | Tally | type[Learner]


class Loader(Protocol):
    """A fold with what it needs to be fed: asking before, forgetting when it lost its place. ``events``: those it is fed."""

    name: str
    events: frozenset[type]

    def fold(self, chunk: Sequence[Recorded]) -> Asking[Delta]: ...

    def forget(self) -> None: ...


class TallyLoader:
    def __init__(self, tally: Tally, events: frozenset[type] | None = None) -> None:
        self._tally = tally
        self.name, self.events = fold_name(tally), tally.events if events is None else events

    def fold(self, chunk: Sequence[Recorded]) -> Asking[Delta]:
        yield from ()
        return self._tally.fold(chunk)

    def forget(self) -> None:
        pass


class DocumentsLoader:
    """Loads the documents a chunk needs, but for those it makes or wrote itself: its checkpoint proves that nobody else did."""

    def __init__(self, documents: Documents, views: Views) -> None:
        self._documents = documents
        self._views = views
        self._remembered: OrderedDict[str, Any] = OrderedDict()
        self.name, self.events = fold_name(documents), documents.events

    def fold(self, chunk: Sequence[Recorded]) -> Asking[Delta]:
        needed, held = self._documents.needs(chunk), self._remembered
        at_hand = {key: held.get(key) for key, to_read in needed.items() if key in held or not to_read}
        if missing := tuple(key for key in needed if key not in at_hand):
            read = (yield Ask(documents=missing)).read
            at_hand |= {key: self._views.decoded(key, read[key], self._documents.types) for key in missing}
        delta = self._documents.fold(at_hand, chunk)
        for key, document in at_hand.items():
            held[key] = document
            held.move_to_end(key)
        while len(held) > max(REMEMBERED, len(at_hand)):  # these are on their way: Redis may not have them yet
            held.popitem(last=False)
        return delta

    def forget(self) -> None:
        self._remembered.clear()


class LearnerLoader:
    """Brings the learner the state that a chunk needs and it does not hold."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self.name, self.events = fold_name(learner), learner.events

    def fold(self, chunk: Sequence[Recorded]) -> Asking[Delta]:
        while missing := self._learner.needs(chunk):
            read = (yield Ask(maps=tuple(missing))).read
            self._learner.restore({key: read[key] for key in missing})
        return self._learner.fold(chunk)

    def forget(self) -> None:
        self._learner.forget()


def loader_of(fold: Fold, zone: str, views: Views, events: frozenset[type] | None = None) -> Loader:
    """A fold's feed. ``events``: those of one source, where a tally has several."""
    match fold:
        case Tally():
            return TallyLoader(fold, events)
        case Documents():
            return DocumentsLoader(fold, views)
        case _:
            return LearnerLoader(fold(zone))


def fold_name(fold: Fold | Learner) -> str:
    """A fold's checkpoint is its version's own: a new version begins at the beginning."""
    return f"{fold.name}.{fold.version}"
