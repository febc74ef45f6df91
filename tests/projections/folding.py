"""Fold a few events by hand: positions count from 1, documents start empty."""

from __future__ import annotations

from collections.abc import Iterable

from aggregates.decider import Recorded
from aggregates.delta import Delta
from projections.projection import Document, DocumentFold, Tally

Contents = dict[str, Document | None]


def recorded(events: Iterable[object]) -> list[Recorded]:
    return [Recorded(position, event) for position, event in enumerate(events, 1)]


def folded(fold: DocumentFold, *events: object) -> Contents:
    documents: Contents = {}
    fold.fold(documents, recorded(events))
    return documents


def tallied(fold: Tally, *events: object) -> Delta:
    return fold.fold(recorded(events))


def removed(contents: Contents) -> set[str]:
    return {key for key, document in contents.items() if document is None}
