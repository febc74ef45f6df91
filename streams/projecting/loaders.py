"""Loaders: what a fold needs besides its events. Each names the keys to read, and holds documents or state in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from aggregates.decider import Recorded
from aggregates.delta import Delta
from infra.redis.views import Contents, Keys, Views
from infra.remembered import Remembered
from models.learner import Learner
from projections.projection import DocumentFold, Documents, SingleDocuments, Tally

REMEMBERED = 20_000
"""Documents of a fold kept between chunks."""

REMEMBERED_BYTES = 32 << 20
"""The size of those documents together, as encoded."""

NOTHING = Keys()

Fold: TypeAlias = DocumentFold | Tally | type[Learner]


class Loader(Protocol):
    """A fold, and the documents or state that it keeps in memory. It takes one chunk after the other.

    For each chunk: call :meth:`needs`, read those keys, give what they hold to :meth:`load`, repeat while that names further
    keys, then :meth:`fold`. ``events``: the types that the fold takes from its source.
    """

    name: str
    events: frozenset[type]

    def needs(self, chunk: Sequence[Recorded]) -> Keys:
        """Return the keys to read before the chunk is folded."""
        ...

    def load(self, read: Contents, chunk: Sequence[Recorded]) -> Keys:
        """Take what was read into memory, and return the keys that are needed now."""
        ...

    def fold(self, chunk: Sequence[Recorded]) -> Delta:
        """Return what the fold writes for the chunk."""
        ...

    def forget(self) -> None:
        """Drop what is in memory, because Redis may hold something else."""
        ...


class TallyLoader:
    """A tally only adds, so it reads nothing."""

    def __init__(self, tally: Tally, events: frozenset[type] | None = None) -> None:
        self._tally = tally
        self.name, self.events = fold_name(tally), tally.events if events is None else events

    def needs(self, chunk: Sequence[Recorded]) -> Keys:  # noqa: ARG002 - a tally has no needs
        return NOTHING

    def load(self, read: Contents, chunk: Sequence[Recorded]) -> Keys:  # noqa: ARG002
        return NOTHING

    def fold(self, chunk: Sequence[Recorded]) -> Delta:
        return self._tally.fold(chunk)

    def forget(self) -> None:
        pass


class DocumentsLoader:
    """Reads the documents of a chunk, except those it wrote itself: the checkpoint proves that nobody else wrote them."""

    def __init__(self, documents: DocumentFold, views: Views) -> None:
        self._documents = documents
        self._views = views
        self._remembered: Remembered[Any] = Remembered(REMEMBERED, REMEMBERED_BYTES)
        self._of_chunk: dict[str, Any] = {}
        self.name, self.events = fold_name(documents), documents.events

    def needs(self, chunk: Sequence[Recorded]) -> Keys:
        needed, remembered = self._documents.needs(chunk), self._remembered
        self._of_chunk = {key: remembered.get(key) for key, to_read in needed.items() if key in remembered or not to_read}
        return Keys(documents=tuple(key for key in needed if key not in self._of_chunk))

    def load(self, read: Contents, chunk: Sequence[Recorded]) -> Keys:  # noqa: ARG002 - one reading is enough
        types = self._documents.types
        self._of_chunk |= {key: self._views.decoded(key, raw, types) for key, raw in read.documents.items()}
        return NOTHING

    def fold(self, chunk: Sequence[Recorded]) -> Delta:
        documents, remembered = self._of_chunk, self._remembered
        delta = self._documents.fold(documents, chunk)
        for key, document in documents.items():
            remembered.put(key, document)
        remembered.shrink(least=len(documents))  # these are on their way: Redis may not have them yet
        self._of_chunk = {}
        return delta

    def forget(self) -> None:
        self._remembered.clear()


class LearnerLoader:
    """Reads the state that a chunk needs and the learner does not hold."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self.name, self.events = fold_name(learner), learner.events

    def needs(self, chunk: Sequence[Recorded]) -> Keys:
        return Keys(maps=tuple(self._learner.needs(chunk)))

    def load(self, read: Contents, chunk: Sequence[Recorded]) -> Keys:
        self._learner.restore(read.maps)
        return self.needs(chunk)

    def fold(self, chunk: Sequence[Recorded]) -> Delta:
        return self._learner.fold(chunk)

    def forget(self) -> None:
        self._learner.forget()


def loader_of(fold: Fold, zone: str, views: Views, events: frozenset[type] | None = None) -> Loader:
    """Return a fold's loader. ``events``: those of one source, where a tally has several sources."""
    match fold:
        case Tally():
            return TallyLoader(fold, events)
        case Documents() | SingleDocuments():
            return DocumentsLoader(fold, views)
        case _:
            return LearnerLoader(fold(zone))


def fold_name(fold: Fold | Learner) -> str:
    """Return the name of a fold's checkpoint. It has the fold's version, so that a new version begins at the beginning."""
    return f"{fold.name}.{fold.version}"
