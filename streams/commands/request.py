"""A request to the handler: commands that happen together or not at all, under an id that makes asking again safe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias, TypeVar

from aggregates.decider import UNFIT, Decider
from infra.event_log.types import Outcome

S = TypeVar("S")

LONGEST_REQUEST_ID = 500
"""In characters; an index of PostgreSQL takes 2,704 bytes."""


class Look(Protocol):
    """Returns the state of an aggregate, by the ids that name its stream."""

    def __call__(self, decider: Decider[Any, S, Any], /, *ids: str) -> S: ...


Plan: TypeAlias = Callable[[Look], Iterable[object]]
"""Yields commands that depend on states; each is decided before the next is asked for. May raise ``Refusal``."""


@dataclass(frozen=True)
class Request:
    """Commands in order, or a plan that yields them. ``reads`` are the streams that a plan will read, with their deciders, so
    that the streams of a whole group are read at once.

    ``content`` is a hash of what is asked: another request under the same id is refused, and not taken for this one.
    ``settled`` says that a refusal is final too; if not, the request may be asked again. ``by_time`` marks a tick's request,
    which alone may record what is due.
    """

    id: str
    commands: tuple[object, ...] | Plan
    content: bytes | None = None
    settled: bool = True
    reads: tuple[tuple[str, Decider[Any, Any, Any]], ...] = ()
    by_time: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.id) <= LONGEST_REQUEST_ID or UNFIT.search(self.id):
            raise ValueError(f"A request's id is 1 to {LONGEST_REQUEST_ID} characters without control characters.")

    def plan(self, look: Look) -> Iterable[object]:
        """Return the commands, in order."""
        return self.commands(look) if callable(self.commands) else self.commands

    @property
    def known(self) -> tuple[object, ...]:
        """Return the commands that are certain beforehand: all of them, or none if they are planned."""
        return () if callable(self.commands) else self.commands

    def again(self, earlier: Outcome) -> Outcome:
        """Return the first answer; refused, if something else was asked under this id."""
        if self.content == earlier.content:
            return earlier if earlier.repeated else replace(earlier, repeated=True)
        sentence = "This id was given to something else before: give each its own, and repeat one only unchanged."
        return replace(earlier, accepted=False, code="id_taken", sentence=sentence, events=0, repeated=False)
