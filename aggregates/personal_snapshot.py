"""Snapshots with personal values: who wrote one, why, and of which events.

An erasure does not reach their files, so it lists them.

The reason and the actor are not sealed: they are about the shop's own people, and must be readable after any erasure.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from aggregates.decider import Context, Decider
from aggregates.fields import ActorId, Count, Id, Instant, Reason
from aggregates.value import Value


class RecordPersonalSnapshot(Value):
    """Record that a snapshot with personal values is about to be written, of the log up to ``position``."""

    snapshot: Annotated[str, Id("snapshot")]
    position: Annotated[int, Count("position", least=1)]
    reason: Annotated[str, Reason("reason")]
    actor: ActorId
    at: Instant


class PersonalSnapshotTaken(Value, kw_only=True):
    """``snapshot``: the name of its folder. ``position``: of the last event in it."""

    snapshot: str
    position: int
    reason: str
    actor: str
    at: int


Command: TypeAlias = RecordPersonalSnapshot
Event: TypeAlias = PersonalSnapshotTaken
Taken: TypeAlias = tuple[PersonalSnapshotTaken, ...]


def decide(command: Command, taken: Taken, _: Context) -> list[Event]:
    event = PersonalSnapshotTaken(
        snapshot=command.snapshot,
        position=command.position,
        reason=command.reason,
        actor=command.actor,
        at=command.at,
    )
    return [] if event in taken else [event]


def evolve(taken: Taken, event: Event) -> Taken:
    return (*taken, event)


personal_snapshots: Decider[Command, Taken, Event] = Decider("personal_snapshots", (), decide, evolve)
