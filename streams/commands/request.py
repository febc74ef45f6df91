"""What is asked of the handler: commands that happen together or not at all, under an id that makes asking again safe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias, TypeVar

from aggregates.decider import UNFIT, Decider
from infra.event_log.types import Outcome

S = TypeVar("S")

LONGEST_REQUEST_ID = 500
"""Characters: an index of PostgreSQL takes 2,704 bytes."""


class Look(Protocol):
    """Asks what an aggregate stands at, by the ids that name it."""

    def __call__(self, decider: Decider[Any, S, Any], /, *ids: str) -> S: ...


Plan: TypeAlias = Callable[[Look], Iterable[object]]
"""Commands that depend on what is known; each is decided before the next is asked for. May raise ``Refusal``."""


@dataclass(frozen=True)
class Request:
    """``commands``: in order, or a plan of them. ``reads``: streams (with their deciders) that a plan will look at, to be read
    together with those of its neighbours.

    ``content``: a hash of what is asked, so that another request by the same id is refused, not taken for this one.
    ``settled``: whether a refusal is the answer for ever, too; if not, the request may be asked again.
    ``by_time``: whether it is a tick's, which alone may record what is due.
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
        """The commands, in order."""
        return self.commands(look) if callable(self.commands) else self.commands

    @property
    def known(self) -> tuple[object, ...]:
        """The commands that are certain beforehand: all of them, or none if they are planned."""
        return () if callable(self.commands) else self.commands

    def again(self, earlier: Outcome) -> Outcome:
        """The first answer, unless something else is asked by its id."""
        if self.content == earlier.content:
            return earlier if earlier.repeated else replace(earlier, repeated=True)
        sentence = "This id was given to something else before: give each its own, and repeat one only unchanged."
        return replace(earlier, accepted=False, code="id_taken", sentence=sentence, events=0, repeated=False)
