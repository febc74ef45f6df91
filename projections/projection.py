"""The two shapes of a read model, and how a chunk of events becomes one :class:`Delta`.

*Documents* are read, changed and written whole, each by the one fold that owns it. A *tally* only adds: its increments
commute, so any number of writers may send them in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from aggregates.decider import Recorded
from aggregates.delta import Delta

Document: TypeAlias = Any
"""A value with a ``position``: the one in the log that it reflects."""

Keys: TypeAlias = Callable[[Any], tuple[str, ...]]
Project: TypeAlias = Callable[[Mapping[str, Document | None], Any, int], Mapping[str, Document | None]]


class OneDocument(NamedTuple):
    """``key``: of the document that an event concerns. ``project``: its new content, from the one before, if there is one."""

    key: Callable[[Any], str]
    project: Callable[[Any, Any, int], Any]


@dataclass(frozen=True)
class Documents:
    """``types``: what a key's prefix holds. ``keys``: the documents that each event needs. ``project``: those it changes.

    ``makes``: documents that an event creates or replaces, so that they need not be read. ``render``: fills in, once a chunk,
    the fields of a document that are computed from its other fields; ``project`` must not read these. ``one``: where each event
    concerns one document, its key and its new content, so that no mapping need be made for each event.
    """

    name: str
    version: int
    types: Mapping[str, type]
    keys: Mapping[type, Keys]
    project: Project
    makes: Mapping[type, Keys] = field(default_factory=dict)
    render: Callable[[Document], Document] | None = None
    one: OneDocument | None = None

    @property
    def events(self) -> frozenset[type]:
        return frozenset(self.keys)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.types)

    def needs(self, chunk: Iterable[Recorded]) -> dict[str, bool]:
        """Return the documents that a chunk needs: True for each that must be read, False if an event makes it first."""
        needed: dict[str, bool] = {}
        if self.one:
            key_of, makes = self.one.key, self.makes
            for _, event in chunk:
                if (key := key_of(event)) not in needed:
                    needed[key] = type(event) not in makes
            return needed
        for recorded in chunk:
            kind = type(recorded.event)
            if kind in self.makes:
                for key in self.makes[kind](recorded.event):
                    needed.setdefault(key, False)
            for key in self.keys[kind](recorded.event):
                needed.setdefault(key, True)
        return needed

    def fold(self, documents: MutableMapping[str, Document | None], chunk: Iterable[Recorded]) -> Delta:
        """Fold a chunk over the documents it needs; ``documents`` then holds their new contents."""
        delta = Delta()
        written = delta.documents
        if self.one:
            key_of, project = self.one
            for position, event in chunk:
                key = key_of(event)
                before = documents.get(key)
                if (after := project(before, event, position)) is not before:
                    documents[key] = written[key] = after
        else:
            for position, event in chunk:
                changed = self.project(documents, event, position)
                documents.update(changed)
                written.update(changed)
        if self.render is not None:
            written.update({key: self.render(document) for key, document in written.items() if document is not None})
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


Projection: TypeAlias = Documents | Tally


def one_document(
    name: str,
    version: int,
    types: Mapping[str, type],
    events: Iterable[type],
    key: Callable[[Any], str],
    project: Callable[[Any, Any, int], Any],
    makes: Iterable[type] = (),
    render: Callable[[Any], Any] | None = None,
) -> Documents:
    """Return a fold whose events concern one document each: ``project(document or None, event, position)`` returns the new one.

    ``makes``: the events that make it anew. ``render``: see :class:`Documents`.
    """

    def keys(event: object) -> tuple[str, ...]:
        return (key(event),)

    def project_one(documents: Mapping[str, Document | None], event: object, position: int) -> dict[str, Document | None]:
        mine = key(event)
        before = documents.get(mine)
        after = project(before, event, position)
        return {} if after is before else {mine: after}

    made = dict.fromkeys(makes, keys)
    return Documents(name, version, types, dict.fromkeys(events, keys), project_one, made, render, OneDocument(key, project))
