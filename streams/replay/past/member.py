"""A member as of the past, and what changed between two places in the log, with the events that changed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from aggregates.decider import Recorded
from aggregates.programme import Programme
from infra.event_log.log import EventLog
from streams.queries.members import card_at
from streams.registry import projections
from streams.replay.past.places import Place
from streams.replay.past.read_models import Past, Progress, changed_fields, of_owners

PARTS = ("card", "cart", "wallet", "orders", "activity")
"""The documents of a member, by the first part of their keys."""

MOVING = ("position", "as_of")
"""Fields that every event of a document moves."""


def member_folds(log: EventLog, terms: Programme, member: str, dated: int | None = None) -> Past:
    """Return the folds of a member's documents, before the first event."""
    some = [fold for fold in projections(terms) if not set(PARTS).isdisjoint(fold.parts)]
    accepts = of_owners([member])
    return Past(log, some, terms.zone, {fold.name: accepts for fold in some}, dated=dated)


def member_as_of(
    log: EventLog, terms: Programme, member: str, place: Place, progress: Progress = lambda _: None
) -> tuple[Past, dict[str, dict[str, Any] | None]]:
    """Return a member's documents as of a place, by part, and the folds that hold their orders too."""
    if place.axis == "dated":
        past = member_folds(log, terms, member, dated=place.instant).to(log.head(), progress)
    else:
        past = member_folds(log, terms, member).to(place.position, progress)
    found = {part: past.fields(f"{part}:{member}") for part in PARTS}
    if found["card"]:
        found["card"] = card_at(found["card"], place.instant)
    return past, found


class FieldChange(NamedTuple):
    """A field of a document, by the document's key. None: it was not there, or is not any more."""

    key: str
    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class ChangeStep:
    """What one event changed, or time alone: then ``position`` and ``event`` are None."""

    position: int | None
    at: int
    event: str | None
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True)
class MemberDifference:
    """``changes``: the fields that differ between the two places. ``steps``: what happened to them on the way."""

    changes: tuple[FieldChange, ...]
    steps: tuple[ChangeStep, ...]


class MemberWatch:
    """Follows a member's documents from one place to another, and notes each change."""

    def __init__(self, past: Past, member: str, start: int) -> None:
        self._past = past
        self._member = member
        self._now = start
        self.documents = self._moved(start)
        self.steps: list[ChangeStep] = []

    def take(self, recorded: Recorded) -> None:
        """Fold one event."""
        event: Any = recorded.event
        self.pass_time(event.at)
        for fold in self._past.folds.values():
            if type(event) in fold.events:
                fold.take([recorded])
        self._note(recorded.position, event.at, type(event).__name__, self._moved(self._now))

    def pass_time(self, now: int) -> None:
        """Note what time alone changes until an instant."""
        self._now = max(self._now, now)
        self._note(None, self._now, None, self._moved(self._now))

    def _moved(self, now: int) -> dict[str, dict[str, Any]]:
        """Return every document of the member as of an instant, by key."""
        found: dict[str, dict[str, Any]] = {}
        for fold in self._past.folds.values():
            held = {key: fold.stored(key) for key in fold.held.held_keys()}
            for key, stored in held.items():
                if stored is not None:
                    found[key] = card_at(stored.fields, now) if key.startswith("card:") else stored.fields
        return found

    def _note(self, position: int | None, at: int, event: str | None, after: dict[str, dict[str, Any]]) -> None:
        if changes := tuple(changes_between(self.documents, after)):
            self.steps.append(ChangeStep(position, at, event, changes))
        self.documents = after


def changes_between(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> Iterator[FieldChange]:
    """Yield each field that differs between two sets of documents."""
    for key in sorted({*before, *after}):
        for name, old, new in changed_fields(before.get(key, {}), after.get(key, {})):
            if name not in MOVING and not name.endswith(".as_of"):
                yield FieldChange(key, name, old, new)


def difference(log: EventLog, terms: Programme, member: str, start: Place, end: Place) -> MemberDifference:
    """Return what changed about a member from one place to another, neither of which may be on the *dated* axis."""
    past = member_folds(log, terms, member)
    if start.position:
        past.to(start.position)
    watch = MemberWatch(past, member, start.instant)
    before = watch.documents
    for recorded in past.between(start.position, end.position):
        watch.take(recorded)
    watch.pass_time(end.instant)
    return MemberDifference(tuple(changes_between(before, watch.documents)), tuple(watch.steps))
