"""Events that a fold has left out in the served version, because dead letters stand for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infra.redis.checkpoints import checkpoint_key, missing_event
from infra.redis.generations import Generation
from infra.redis.views import Views

LeftOut = Mapping[str, frozenset[int]]
"""A fold's name without its version → positions of events."""

SCANNED = 1000  # keys at once


def left_out_in(views: Views, served: Iterable[Generation]) -> LeftOut:
    """Return what the folds of these records have left out there."""
    return {record.name: frozenset(positions_in(views, record)) for record in served}


def positions_in(views: Views, record: Generation) -> Iterable[int]:
    for key in views.client.scan_iter(match=note_key(record, "*"), count=SCANNED):
        held = views.client.get(key)
        if held and int(held):
            yield int(held)


def note_left_out(views: Views, record: Generation, served: frozenset[int], left_out: frozenset[int]) -> None:
    """Note in a new version the events that its fold has left out, and no others of those that the served one lacks."""
    pipeline = views.client.pipeline(transaction=False)
    for position in served:
        if position in left_out:
            pipeline.set(note_key(record, position), position)
        else:
            pipeline.delete(note_key(record, position))
    pipeline.execute()


def note_key(record: Generation, position: object) -> str:
    """Return the key of the note that an event is missing from a record's fold in its version."""
    return f"{record.version}:{checkpoint_key(record.fold, missing_event(0))[:-1]}{position}"
