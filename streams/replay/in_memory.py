"""Folds the log in memory, so that a rebuild writes each key once.

A fold in memory holds all that its keys should hold after the events that it has taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import length_hint
from typing import Any, Protocol, TypeAlias

import msgspec

from aggregates.decider import Recorded
from aggregates.delta import Delta
from infra.redis.loading import KeyContent
from models.learner import Learner
from models.recommender.settings import SHIPPED, RecommenderSettings
from projections.projection import DocumentFold, Documents, SingleDocuments, Tally
from streams.projecting.loaders import Fold, fold_name
from streams.projecting.projector import ProjectionFailed

ENCODE = msgspec.json.Encoder().encode

NOTHING: Mapping[str, int] = {}

Maps: TypeAlias = dict[str, dict[str, str]]


class FoldInMemory(Protocol):
    """``name``: with the fold's version. ``parts``: of its keys. ``events``: the types that it takes."""

    @property
    def name(self) -> str: ...
    @property
    def parts(self) -> Sequence[str]: ...
    @property
    def events(self) -> frozenset[type]: ...

    def take(self, chunk: Sequence[Recorded]) -> None:
        """Fold a chunk. Raises :class:`ProjectionFailed`; what is in memory is of no use then."""
        ...

    def held_keys(self) -> Iterable[str]:
        """Return the keys that have something."""
        ...

    def entry(self, key: str) -> KeyContent | None:
        """Return the whole content of a key, None if it has none."""
        ...


class DocumentStore(dict[str, Any]):
    """Documents by key, None for those that are not there."""

    def __missing__(self, key: str) -> None:
        return None


class DocumentsInMemory:
    """Holds documents as the fold's own values, and renders and encodes each once, when it is written."""

    def __init__(self, fold: DocumentFold) -> None:
        self._fold = fold
        self._documents = DocumentStore()
        self.name, self.parts, self.events = fold_name(fold), fold.parts, fold.events

    def take(self, chunk: Sequence[Recorded]) -> None:
        left = iter(chunk)
        try:
            self._fold.apply(self._documents, left)
        except Exception as fault:
            failed = chunk[-1 - length_hint(left)]  # the last one that was taken out
            raise ProjectionFailed(self.name, [failed], fault) from fault

    def held_keys(self) -> Iterable[str]:
        return (key for key, document in self._documents.items() if document is not None)

    def entry(self, key: str) -> KeyContent | None:
        document = self._documents[key]
        if document is None:
            return None
        return KeyContent(key, ENCODE(self._fold.render(document) if self._fold.render else document))


class TallyInMemory:
    def __init__(self, fold: Tally) -> None:
        self._fold = fold
        self._sums = Delta()
        self.name, self.parts, self.events = fold_name(fold), fold.parts, fold.events

    def take(self, chunk: Sequence[Recorded]) -> None:
        project, sums = self._fold.project, self._sums
        recorded = chunk[0]
        try:
            for recorded in chunk:
                project(sums, recorded[1])
        except Exception as fault:
            raise ProjectionFailed(self.name, [recorded], fault) from fault

    def held_keys(self) -> Iterable[str]:
        return {**self._sums.fields, **self._sums.counts, **self._sums.scores}

    def entry(self, key: str) -> KeyContent | None:
        if (ranking := self._sums.scores.get(key)) is not None:
            scores = {name: score for name, score in ranking.items() if score}  # Redis keeps no member at 0 either
            return KeyContent(key, scores=scores) if scores else None
        fields: dict[str, str | int] = {}
        if key in self._sums.fields:
            fields = {name: value for name, value in self._sums.fields[key].items() if value is not None}
        if key in self._sums.counts:
            fields |= {name: count for name, count in self._sums.counts[key].items() if count}
        return KeyContent(key, fields=fields) if fields else None


class LearnerInMemory:
    """The learner over maps in memory. It asks for them as it would ask Redis."""

    def __init__(self, zone: str, settings: RecommenderSettings = SHIPPED) -> None:
        self.learner = Learner(zone, settings)
        self._documents: dict[str, Any] = {}
        self._maps: Maps = {}
        self._rankings: dict[str, dict[str, int]] = {}
        self.name, self.parts, self.events = fold_name(Learner), Learner.parts, Learner.events

    def take(self, chunk: Sequence[Recorded]) -> None:
        try:
            while needed := self.learner.needs(chunk):
                self.restore(needed)
            delta = self.learner.fold(chunk)
        except Exception as fault:
            raise ProjectionFailed(self.name, chunk, fault) from fault
        for key, document in delta.documents.items():
            if document is None:
                self._documents.pop(key, None)
            else:
                self._documents[key] = document
        add_to_maps(self._maps, delta)
        for key, scores in delta.scores.items():
            ranking = self._rankings.setdefault(key, {})
            for name, by in scores.items():
                ranking[name] = ranking.get(name, 0) + by

    def restore(self, keys: Iterable[str]) -> None:
        """Give the learner what it has written under these keys."""
        self.learner.restore({key: self._maps.get(key, {}) for key in keys})

    def held_keys(self) -> Iterable[str]:
        yield from self._documents
        yield from self._maps
        yield from self._rankings

    def entry(self, key: str) -> KeyContent | None:
        if scores := {name: score for name, score in self._rankings.get(key, NOTHING).items() if score}:
            return KeyContent(key, scores=scores)
        if (document := self._documents.get(key)) is not None:
            return KeyContent(key, ENCODE(document))
        return KeyContent(key, fields=fields) if (fields := self._maps.get(key)) else None


def add_to_maps(maps: Maps, delta: Delta) -> None:
    """Apply a delta's fields and counts to maps, as Redis does."""
    for key, fields in delta.fields.items():
        mine = maps.setdefault(key, {})
        for name, value in fields.items():
            if value is None:
                mine.pop(name, None)
            else:
                mine[name] = str(value)
    for key, counts in delta.counts.items():
        mine = maps.setdefault(key, {})
        for name, by in counts.items():
            if by:
                mine[name] = str(int(mine.get(name, 0)) + by)


def in_memory(fold: Fold, zone: str) -> FoldInMemory:
    """Return an empty fold in memory."""
    match fold:
        case Documents() | SingleDocuments():
            return DocumentsInMemory(fold)
        case Tally():
            return TallyInMemory(fold)
        case _:
            return LearnerInMemory(zone)


def entries(fold: FoldInMemory) -> Iterator[KeyContent]:
    """Yield the content of every key that has some."""
    for key in fold.held_keys():
        if (entry := fold.entry(key)) is not None:
            yield entry
