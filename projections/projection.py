"""The two shapes of a read model, and how a chunk of events becomes one :class:`Delta`.

*Documents* are read, changed and written whole, each by the one fold that owns it. A *tally* only adds: its increments
commute, so any number of writers may send them in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aggregates.decider import Recorded
from aggregates.delta import Delta

Document: TypeAlias = Any
"""A value with a ``position``: the one in the log that it reflects."""

Keys: TypeAlias = Callable[[Any], tuple[str, ...]]
Project: TypeAlias = Callable[[Mapping[str, Document | None], Any, int], Mapping[str, Document | None]]
ProjectSingle: TypeAlias = Callable[[Any, Any, int], Any]
Render: TypeAlias = Callable[[Any], Any]
Contents: TypeAlias = MutableMapping[str, Document | None]
"""Documents by key, None for those that are not there."""


@dataclass(frozen=True)
class Documents:
    """``types``: what a key's prefix holds. ``keys``: the documents that each event needs. ``project``: those it changes.

    ``makes``: documents that an event creates or replaces, so that they need not be read. ``render``: fills in, once a chunk,
    the fields of a document that are computed from its other fields; ``project`` must not read these.
    """

    name: str
    version: int
    types: Mapping[str, type]
    keys: Mapping[type, Keys]
    project: Project
    makes: Mapping[type, Keys] = field(default_factory=dict)
    render: Render | None = None

    @property
    def events(self) -> frozenset[type]:
        return frozenset(self.keys)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.types)

    def needs(self, chunk: Iterable[Recorded]) -> dict[str, bool]:
        """Return the documents that a chunk needs: True for each that must be read, False if an event makes it first."""
        needed: dict[str, bool] = {}
        for recorded in chunk:
            kind = type(recorded.event)
            if kind in self.makes:
                for key in self.makes[kind](recorded.event):
                    needed.setdefault(key, False)
            for key in self.keys[kind](recorded.event):
                needed.setdefault(key, True)
        return needed

    def apply(self, documents: Contents, chunk: Iterable[Recorded], written: Contents | None = None) -> None:
        """Apply each event to ``documents``, without :attr:`render`. ``written`` takes the documents that change."""
        project = self.project
        for position, event in chunk:
            changed = project(documents, event, position)
            documents.update(changed)
            if written is not None:
                written.update(changed)

    def fold(self, documents: Contents, chunk: Iterable[Recorded]) -> Delta:
        """Fold a chunk over the documents it needs; ``documents`` then holds their new contents."""
        return folded(self, documents, chunk)


@dataclass(frozen=True)
class SingleDocuments:
    """Documents whose events concern one each. ``key``: the one of an event. ``makes``: the events that make it anew.

    ``project(document or None, event, position)`` returns the new document. No mapping is made for each event, so it is
    faster than :class:`Documents`, whose ``types`` and ``render`` it has.
    """

    name: str
    version: int
    types: Mapping[str, type]
    events: frozenset[type]
    key: Callable[[Any], str]
    project: ProjectSingle
    makes: frozenset[type] = frozenset()
    render: Render | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.types)

    def needs(self, chunk: Iterable[Recorded]) -> dict[str, bool]:
        """Return the documents that a chunk needs: True for each that must be read, False if an event makes it first."""
        needed: dict[str, bool] = {}
        key_of, makes = self.key, self.makes
        for _, event in chunk:
            if (key := key_of(event)) not in needed:
                needed[key] = type(event) not in makes
        return needed

    def apply(self, documents: Contents, chunk: Iterable[Recorded], written: Contents | None = None) -> None:
        """Apply each event to ``documents``, without :attr:`render`. ``written`` takes the documents that change."""
        key_of, project, held = self.key, self.project, documents.get
        for position, event in chunk:
            key = key_of(event)
            before = held(key)
            if (after := project(before, event, position)) is not before:
                documents[key] = after
                if written is not None:
                    written[key] = after

    def fold(self, documents: Contents, chunk: Iterable[Recorded]) -> Delta:
        """Fold a chunk over the documents it needs; ``documents`` then holds their new contents."""
        return folded(self, documents, chunk)


DocumentFold: TypeAlias = Documents | SingleDocuments


def folded(fold: DocumentFold, documents: Contents, chunk: Iterable[Recorded]) -> Delta:
    """Return the documents that a chunk changes, rendered; ``documents`` then holds them, too."""
    delta = Delta()
    written = delta.documents
    fold.apply(documents, chunk, written)
    if (render := fold.render) is not None:
        written.update({key: render(document) for key, document in written.items() if document is not None})
        documents.update(written)
    return delta


@dataclass(frozen=True)
class Tally:
    """``parts``: what the keys it writes begin with. ``project`` adds an event to a delta."""

    name: str
    version: int
    parts: tuple[str, ...]
    events: frozenset[type]
    project: Callable[[Delta, Any], None]

    def fold(self, chunk: Iterable[Recorded]) -> Delta:
        """Return what a chunk adds."""
        delta = Delta()
        for recorded in chunk:
            self.project(delta, recorded.event)
        return delta


Projection: TypeAlias = DocumentFold | Tally


def one_document(
    name: str,
    version: int,
    types: Mapping[str, type],
    events: Iterable[type],
    key: Callable[[Any], str],
    project: ProjectSingle,
    makes: Iterable[type] = (),
    render: Render | None = None,
) -> SingleDocuments:
    """Return a fold whose events concern one document each; see :class:`SingleDocuments`."""
    return SingleDocuments(name, version, types, frozenset(events), key, project, frozenset(makes), render)
